// Why a database is not opened: an ordinary end for whoever starts the hub or runs a command, told with what to do next.
export type RefusalCode =
  | "IN_USE"
  | "NOT_THERE"
  | "RESTORE_UNFINISHED"
  | "SCHEMA_NEWER"
  | "SCHEMA_OLDER"
  | "SCHEMA_UNREADABLE";

export class StoreRefusal extends Error {
  override readonly name = "StoreRefusal";
  readonly code: RefusalCode;
  readonly nextStep: string;

  /** @param cause a sentence, as is the next step: they are printed one after the other */
  constructor(code: RefusalCode, cause: string, nextStep: string) {
    super(cause);
    this.code = code;
    this.nextStep = nextStep;
  }
}
