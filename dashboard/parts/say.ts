// A sentence for the reader about what was just done or could not be: the shell shows it for a while.
export class SayEvent extends Event {
  static readonly NAME = "say";
  readonly message: string;

  constructor(message: string) {
    super(SayEvent.NAME, { bubbles: true, composed: true });
    this.message = message;
  }
}

export function say(from: HTMLElement, message: string): void {
  from.dispatchEvent(new SayEvent(message));
}
