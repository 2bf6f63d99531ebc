// Sealed documents that came on a stick: offered like the hub's own answers, with the same checks.
import type { Documents } from "../effects/documents.ts";
import type { CarriedDocuments } from "../effects/stick.ts";

/** @returns in words what was refused */
export async function offerDocuments(documents: Documents, carried: CarriedDocuments): Promise<string[]> {
  const refused = [
    carried.assignment === null ? null : await documents.offerAssignment(carried.assignment),
    carried.manifest === null ? null : await documents.offerManifest(carried.manifest, null),
  ];
  return refused.flatMap((trouble) => (trouble ? [`${trouble.code}: ${trouble.message}`] : []));
}
