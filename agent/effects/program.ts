// Whether a program is there to be run.
import { access, constants } from "node:fs/promises";

export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
