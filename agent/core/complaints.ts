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
    message: `${megabytes(neededBytes)} are needed on the models' disk, ${megabytes(freeBytes)} are free`,
    nextStep: "Free space on the disk of the models directory.",
    kind: "passing",
  };
}

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

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
