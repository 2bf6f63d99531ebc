// The base of every element here: rendered without a shadow root, so that one stylesheet, one focus order and labels reach everything.
import { LitElement } from "lit";

export class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}
