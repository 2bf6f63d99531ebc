// People and machines on the wire: accounts, API tokens, join tokens, and the one-time links that set a password.
import { z } from "zod";
import { GroupName, Timestamp } from "./names.ts";

export const Role = z.enum(["viewer", "engineer", "admin"]);
/** What a person may do. Each may do what the one before may. */
export type Role = z.infer<typeof Role>;

export const TokenScope = z.enum(["publisher", ...Role.options]);
/** What an API token may do: a role, or `publisher`, which may hand in versions and labels and nothing else. */
export type TokenScope = z.infer<typeof TokenScope>;

/** Without spaces, so that no account can be mistaken for `token x` or `device x` in the history. */
export const UserName = z
  .string()
  .trim()
  .toLowerCase()
  .min(2)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._@+-]*$/, 'a name may hold letters, digits, ".", "_", "@", "+" and "-"');

/** Length is what counts; any character will do. */
export const Password = z.string().min(10, "a password has at least 10 characters").max(256);

export const User = z.object({
  id: z.string(),
  name: z.string(),
  role: Role,
  /** How this person signs in; `nothing yet` until a one-time link was used. */
  signs_in_with: z.enum(["password", "oidc", "nothing yet"]),
  created_at: Timestamp,
  created_by: z.string(),
  disabled_at: Timestamp.nullable(),
});
export type User = z.infer<typeof User>;

export const CreateUserRequest = z.object({ name: UserName, role: Role, password: Password.optional() });
export const PatchUserRequest = z
  .object({ role: Role, disabled: z.boolean() })
  .partial()
  .refine(({ role, disabled }) => role !== undefined || disabled !== undefined, "name a role, disabled, or both");
/** `setup_link` is shown once: it lets its holder set the password. Null when a password was given. */
export const UserWithLink = z.object({ user: User, setup_link: z.string().nullable() });

/** The first admin names itself; whoever follows a password link has a name already. */
export const SetupRequest = z.object({
  secret: z.string().min(16).max(200),
  name: UserName.optional(),
  password: Password,
});
export const ChangePasswordRequest = z.object({ current: z.string().max(256), password: Password });
export const SignInRequest = z.union([
  z.object({ name: z.string().max(256), password: z.string().max(256) }),
  z.object({ token: z.string().max(1_000) }),
]);

/** One sign-in of one's own. */
export const BrowserSession = z.object({
  id: z.string(),
  /** The one that asks. */
  current: z.boolean(),
  created_at: Timestamp,
  /** To about five minutes. */
  last_used: Timestamp,
  /** At the latest; one that is not used for long is over before. */
  expires_at: Timestamp,
  /** Where it was begun, and the browser's own name. */
  address: z.string().nullable(),
  agent: z.string().nullable(),
});
export type BrowserSession = z.infer<typeof BrowserSession>;
export const EndedSessions = z.object({ ended: z.number().int() });

const SecretName = z
  .string()
  .trim()
  .min(2)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a name may hold letters, digits, ".", "_" and "-"');
const ExpiresDays = z
  .number()
  .positive()
  .max(10 * 366);

export const ApiToken = z.object({
  id: z.string(),
  name: z.string(),
  /** How the secret begins: enough to recognise it, not to use it. */
  prefix: z.string(),
  scope: TokenScope,
  created_at: Timestamp,
  created_by: z.string(),
  expires_at: Timestamp.nullable(),
  last_used: Timestamp.nullable(),
  revoked_at: Timestamp.nullable(),
});
export type ApiToken = z.infer<typeof ApiToken>;
export const CreateTokenRequest = z.object({
  name: SecretName,
  scope: TokenScope,
  expires_days: ExpiresDays.optional(),
});
/** `secret` is shown once; the hub keeps only its hash. */
export const CreatedToken = z.object({ token: ApiToken, secret: z.string() });

export const JoinToken = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  /** Where its devices go; null leaves it to the device. */
  group: GroupName.nullable(),
  created_at: Timestamp,
  created_by: z.string(),
  expires_at: Timestamp.nullable(),
  uses_left: z.number().int().nullable(),
  revoked_at: Timestamp.nullable(),
});
export type JoinToken = z.infer<typeof JoinToken>;
export const CreateJoinTokenRequest = z.object({
  name: SecretName,
  group: GroupName.optional(),
  uses: z.number().int().min(1).max(1_000_000).optional(),
  expires_days: ExpiresDays.optional(),
});
export const CreatedJoinToken = z.object({ join_token: JoinToken, secret: z.string() });

export const DecommissionRequest = z.object({ reason: z.string().trim().min(3).max(500) });
export const AdmissionReply = z.object({ message: z.string() });

/** Public halves, in PEM, as devices and tools take them. Ids are how signatures name their key. */
export const Trust = z.object({
  /** Sign manifests and assignments; two while one is being replaced. */
  hub: z.array(z.object({ id: z.string(), public_key: z.string() })),
  /** Sign version statements. `development`: held by the hub itself, for a laptop. */
  release: z.array(z.object({ id: z.string(), public_key: z.string(), development: z.boolean() })),
});
export type Trust = z.infer<typeof Trust>;
