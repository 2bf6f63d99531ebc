// Where a webhook may go: never to a link-local or metadata address, to this machine only where that is allowed. Checked on what a name resolves to.
import { lookup as resolveName, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP } from "node:net";

export interface AddressRules {
  allowLoopback: boolean;
}

/** Where clouds keep credentials for their machines, and addresses that are nobody's. Factories have private networks, so those are fine. */
function forbidden(): BlockList {
  const list = new BlockList();
  list.addSubnet("169.254.0.0", 16, "ipv4");
  list.addSubnet("fe80::", 10, "ipv6");
  list.addAddress("fd00:ec2::254", "ipv6");
  list.addAddress("100.100.100.200", "ipv4");
  list.addAddress("168.63.129.16", "ipv4");
  list.addSubnet("224.0.0.0", 3, "ipv4");
  list.addSubnet("ff00::", 8, "ipv6");
  return list;
}

/** `0.0.0.0` and `::` reach this machine as well. */
function loopback(): BlockList {
  const list = new BlockList();
  list.addSubnet("127.0.0.0", 8, "ipv4");
  list.addSubnet("0.0.0.0", 8, "ipv4");
  list.addAddress("::1", "ipv6");
  list.addAddress("::", "ipv6");
  return list;
}

export type AddressCheck = (address: string) => string | undefined;

/** @returns a function that says why an address is refused, or undefined. */
export function addressCheck({ allowLoopback }: AddressRules): AddressCheck {
  const never = forbidden();
  const own = loopback();
  return (address) => {
    const candidates = [address, ...embeddedIPv4(address)];
    for (const candidate of candidates) {
      const family = isIP(candidate) === 6 ? "ipv6" : "ipv4";
      if (never.check(candidate, family)) return `${address} is a link-local, metadata or multicast address`;
      if (!allowLoopback && own.check(candidate, family)) return `${address} is this machine itself`;
    }
    return undefined;
  };
}

/** IPv4 written as IPv6: `::ffff:a.b.c.d` (mapped), `::a.b.c.d` (compatible), `64:ff9b::a.b.c.d` (NAT64), `2002:…` (6to4). */
function embeddedIPv4(address: string): string[] {
  if (isIP(address) !== 6) return [];
  const groups = expand(address);
  const quad = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const [first = 0, second = 0, third = 0, , , sixth = 0, seventh = 0, eighth = 0] = groups;
  const leadsZero = groups.slice(0, 5).every((group) => group === 0);
  if (leadsZero && (sixth === 0xffff || (sixth === 0 && seventh > 0))) return [quad(seventh, eighth)];
  if (first === 0x64 && second === 0xff9b) return [quad(seventh, eighth)];
  return first === 0x2002 ? [quad(second, third)] : [];
}

/** Eight numbers. The URL parser writes any form in hex first. */
function expand(address: string): number[] {
  const plain = new URL(`http://[${address.split("%", 1)[0] ?? ""}]`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const read = (part: string) => (part === "" ? [] : part.split(":").map((group) => parseInt(group, 16)));
  const left = read(head);
  const right = tail === undefined ? [] : read(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

/** @returns why this URL is not one for a webhook; names are looked at again when they are resolved. */
export function refuseUrl(url: string, check: AddressCheck): string | undefined {
  const parsed = URL.parse(url);
  if (!parsed || (parsed.protocol !== "http:" && parsed.protocol !== "https:")) return "only http and https are called";
  if (parsed.username !== "" || parsed.password !== "")
    return "a user and password in the address would be shown to others";
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 ? undefined : check(host);
}

type Callback = (error: Error | null, address?: string | LookupAddress[], family?: number) => void;

/** A lookup for node:net: what is connected to is what was checked, so a name cannot change its mind in between. */
export function checkedLookup(check: AddressCheck) {
  return (hostname: string, options: LookupOptions | undefined, callback: Callback): void => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error);
      const refusal = addresses.map(({ address }) => check(address)).find((why) => why !== undefined);
      if (refusal !== undefined) return callback(new Error(`${hostname} is not called: ${refusal}`));
      const [first] = addresses;
      if (!first) return callback(new Error(`${hostname} has no address`));
      if (options?.all) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
