// The tables and records of people and machines; here a row and its record are the same thing.
import type { Role, TokenScope } from "@context-edge/protocol";

export interface UserRecord {
  id: string;
  name: string;
  /** A PHC string; null for who signs in elsewhere, or has not used the one-time link yet. */
  password_hash: string | null;
  /** `issuer subject` of the organisation's sign-in. */
  oidc_subject: string | null;
  role: Role;
  created_at: string;
  created_by: string;
  disabled_at: string | null;
}

export interface SessionRecord {
  hash: string;
  /** Null for the holder of the hub's one token. */
  user_id: string | null;
  /** With the hub's one token: void as soon as that token is another. */
  bound_to: string | null;
  created_at: string;
  last_used: string;
  expires_at: string;
  /** Where from and with which browser it was begun; null for one from before this was kept. */
  address: string | null;
  agent: string | null;
}

export interface LinkRecord {
  hash: string;
  /** Whose password it sets; null for the very first admin. */
  user_id: string | null;
  created_at: string;
  expires_at: string;
}

interface SecretRecord {
  id: string;
  name: string;
  hash: string;
  prefix: string;
  created_at: string;
  created_by: string;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface TokenRecord extends SecretRecord {
  scope: TokenScope;
  last_used: string | null;
}

export interface JoinTokenRecord extends SecretRecord {
  group_name: string | null;
  uses_left: number | null;
}

export interface PeopleSchema {
  users: UserRecord;
  sessions: SessionRecord;
  one_time_links: LinkRecord;
  tokens: TokenRecord;
  join_tokens: JoinTokenRecord;
}
