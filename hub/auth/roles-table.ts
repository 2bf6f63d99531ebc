// The table of permissions as docs/people.md shows it: written from the one that is enforced, so that the two cannot differ.
import { type Least, PERMISSIONS } from "./permissions.ts";

const WHO: Record<Least, string> = {
  anyone: "anyone, without a sign-in",
  viewer: "viewer",
  engineer: "engineer",
  admin: "admin",
  device: "a device, by its own credential",
};

/** Markdown, one line for each route, the least that is needed first. */
export function rolesTable(): string {
  const lines = (Object.keys(WHO) as Least[]).flatMap((least) =>
    Object.entries(PERMISSIONS)
      .filter(([, access]) => access.least === least)
      .map(([route, { publisher }]) => [`\`${route}\``, WHO[least], publisher && least !== "anyone" ? "yes" : ""]),
  );
  const rows = [["route", "least role", "publisher"], ["---", "---", "---"], ...lines];
  return rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
}
