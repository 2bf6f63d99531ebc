// How the command line ends: one exit code per kind of end, so that a CI job can tell them apart.

export const EXIT = {
  done: 0,
  /** The hub refused, or something on this machine could not be done. */
  refused: 1,
  /** Found here, or by the hub before it did anything. */
  wrongUse: 2,
  /** The deployment halted, was aborted or was rolled back. */
  halted: 3,
  timeout: 4,
  unreachable: 5,
  notAllowed: 6,
  /** As a shell reports Ctrl-C. */
  interrupted: 130,
} as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `Exit codes:
    0  done
    1  refused or failed by the hub
    2  wrong use; nothing was changed
    3  the deployment halted, was aborted or rolled back
    4  timeout while waiting
    5  the hub cannot be reached
    6  not signed in, or not allowed
  130  Ctrl-C`;

interface More {
  /** Stable, upper case: the hub's, or one of this command line's own. */
  code: string;
  nextStep?: string | undefined;
  /** What `--json` prints instead of a problem that is made from the other fields. */
  document?: unknown;
  /** Lines that belong below the sentence. */
  lines?: readonly string[];
}

/** An end other than "done", with what the reader needs. Never carries a secret. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exit: Exit;
  readonly more: More;

  constructor(exit: Exit, sentence: string, more: More) {
    super(sentence);
    this.exit = exit;
    this.more = more;
  }

  toJson(): unknown {
    const { code, nextStep, document } = this.more;
    return document ?? { title: this.message, code, ...(nextStep === undefined ? {} : { next_step: nextStep }) };
  }
}

export function wrongUse(sentence: string, nextStep?: string): Failure {
  return new Failure(EXIT.wrongUse, sentence, { code: "WRONG_USE", nextStep });
}
