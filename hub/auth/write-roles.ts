// Writes the table of roles into docs/people.md: `node hub/auth/write-roles.ts`, then `npm run format`.
import { readFileSync, writeFileSync } from "node:fs";
import { rolesTable } from "./roles-table.ts";

const file = new URL("../../docs/people.md", import.meta.url);
const [before = "", after = ""] = readFileSync(file, "utf8").split(
  /(?<=<!-- roles: [^>]*-->\n)[\s\S]*(?=\n<!-- end of roles -->)/,
);
writeFileSync(file, `${before}\n${rolesTable()}\n${after}`);
