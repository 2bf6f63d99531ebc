// Which Host headers are this device's own: a page elsewhere may rebind its name to our address, but not change the name it asks for.
import { isIP } from "node:net";

export interface OwnNames {
  hostname: string;
  device: string;
  /** The address people were told, if any. */
  statusUrl: string | undefined;
}

export function isOwnHost(header: string | undefined, { hostname, device, statusUrl }: OwnNames): boolean {
  if (header === undefined || !URL.canParse(`http://${header}`)) return false;
  const host = new URL(`http://${header}`).hostname.toLowerCase().replace(/\.$/, "");
  // DNS rebinding needs a name; whoever asks for a bare address was not led here by one.
  if (isIP(host.replace(/^\[|\]$/g, "")) !== 0) return true;
  const names = [hostname, device].map((name) => name.toLowerCase());
  const told = statusUrl === undefined ? [] : [new URL(statusUrl).hostname.toLowerCase()];
  return ["localhost", ...names, ...names.map((name) => `${name}.local`), ...told].includes(host);
}
