// The ordinary failures of steps before the swap, in words.
import type { Candidate } from "./state.ts";
import type { Mishap } from "./steps.ts";

export const WITHDRAWN: Mishap = {
  code: "WITHDRAWN",
  message: "the manifest changed while the installation was about to begin",
  nextStep: "",
  kind: "passing",
};

export function diskFull(neededBytes: number, freeBytes: number): Mishap {
  return {
    code: "DISK_FULL",
    message: `${megabytes(neededBytes)} must be free on the models' disk, ${megabytes(freeBytes)} are`,
    nextStep: "Free space on the disk of the models directory, or lower AGENT_DISK_RESERVE.",
    kind: "passing",
    evidence: { detail: `needed ${neededBytes} bytes, free ${freeBytes} bytes` },
  };
}

/** Out of inodes: bytes are free, but no file can be made. */
export function diskFullOfFiles(): Mishap {
  return {
    code: "DISK_FULL",
    message: "the models' disk has room, but no file can be made on it: its inodes are used up",
    nextStep: "Delete small files on the disk of the models directory, often logs or container layers.",
    kind: "passing",
  };
}

export function overBudget(
  { version, sizeBytes }: Pick<Candidate, "version" | "sizeBytes">,
  publishedBytes: number,
  budgetBytes: number,
): Mishap {
  const fitsAlone = sizeBytes <= budgetBytes;
  const taken = fitsAlone ? `, and ${megabytes(publishedBytes)} are taken` : "";
  return {
    code: "DISK_BUDGET",
    message: `${version} takes ${megabytes(sizeBytes)}; models may take ${megabytes(budgetBytes)} together${taken}`,
    nextStep: "Raise AGENT_DISK_BUDGET: it must hold the running model, its backup and the next one.",
    kind: fitsAlone ? "passing" : "permanent",
  };
}

export function linkTooSlow(bytesPerS: number, windowMs: number): Mishap {
  return {
    code: "LINK_TOO_SLOW",
    message: `the download brought less than ${bytesPerS} bytes a second for ${Math.round(windowMs / 1_000)} s`,
    nextStep: "Check the network between device and hub, or import the file from a stick.",
    kind: "passing",
  };
}

export function wrongSize(expectedBytes: number, actualBytes: number): Mishap {
  return {
    code: "SIZE_MISMATCH",
    message: `the hub has ${actualBytes} bytes of this file, the signed size is ${expectedBytes} bytes`,
    nextStep: "Upload the file again as it was signed, or register it as a new version.",
    kind: "permanent",
    evidence: { expected_bytes: expectedBytes, actual_bytes: actualBytes },
  };
}

export const RANGE_UNUSABLE: Mishap = {
  code: "RANGE_UNUSABLE",
  message: "the server keeps sending another part of the file than it was asked for",
  nextStep: "Find out what stands between device and hub: a cache or a proxy may be at fault.",
  kind: "passing",
};

export function unproved(candidate: Candidate, why: string): Mishap {
  return {
    code: "STATEMENT_UNPROVED",
    message: `${candidate.version} cannot be proved to be what was released: ${why}`,
    nextStep: "Register the version again with a statement signed by the release key.",
    kind: "permanent",
  };
}

export function unfetched(candidate: Candidate): Mishap {
  return {
    code: "PART_MISSING",
    message: `the fetched file of ${candidate.version} disappeared before it was checked`,
    nextStep: "Find out what else deletes files in the models directory.",
    kind: "passing",
  };
}

export function wrongBytes(candidate: Candidate, actualDigest: string, actualBytes: number): Mishap {
  return {
    code: "DIGEST_MISMATCH",
    message: `the file's sha256 is ${actualDigest.slice(0, 12)}…, signed was ${candidate.digest.slice(0, 12)}…`,
    nextStep: "Upload the file again as it was signed, or register it as a new version.",
    kind: "permanent",
    evidence: {
      expected_digest: candidate.digest,
      actual_digest: actualDigest,
      expected_bytes: candidate.sizeBytes,
      actual_bytes: actualBytes,
    },
  };
}

export function noSuchFile(file: string | null): Mishap {
  return {
    code: "FILE_MISSING",
    message: `the link cannot be pointed to ${file ?? "nothing"}: there is no such file`,
    nextStep: "Find out what else deletes files in the models directory.",
    kind: "permanent",
  };
}

export function damagedFile(file: string, kind: Mishap["kind"]): Mishap {
  return {
    code: "FILE_DAMAGED",
    message: `${file} does not hold any more what was verified: it is gone, or was altered on the disk`,
    nextStep:
      kind === "passing"
        ? "It is fetched again by itself. If this comes back, check the storage of this device and who writes to its models directory."
        : "Check the storage of this device and who writes to its models directory, then retry the deployment.",
    kind,
  };
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
