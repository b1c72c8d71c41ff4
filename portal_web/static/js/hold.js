// The words of a held time: whole minutes, rewritten in silence, said aloud once when one minute is left and once at the end.
import { MINUTE } from "./time.js";

export class Hold {
  #form;
  #say;
  #timer = null;
  #left = null;

  constructor(form, say) {
    this.#form = form;
    this.#say = say;
  }

  /** Looks for a hold on the page as it is now. Ends are told by the server's clock: minutes are good enough for ours. */
  look() {
    clearInterval(this.#timer);
    const place = this.#form.querySelector("[data-held]");
    this.#left = null;
    if (!place) return;
    const ends = Date.now() + Number(place.dataset.heldS) * 1000;
    this.#timer = setInterval(() => this.#tell(place, ends - Date.now()), 1_000);
  }

  #tell(place, left) {
    const minutes = Math.max(0, Math.ceil(left / MINUTE));
    if (minutes === this.#left) return;
    const first = this.#left === null;
    this.#left = minutes;
    for (const short of this.#form.querySelectorAll("[data-held-left]"))
      short.textContent = minutes ? `Held for ${minutes} min` : "Hold ended";
    if (minutes === 0) this.#end(place);
    else place.querySelector("[data-held-words] strong").textContent = `Held for you for the next ${minutes} min.`;
    if (minutes === 1 && !first) this.#say("One minute left: then others can book this time.");
  }

  #end(place) {
    clearInterval(this.#timer);
    const words = document.createElement("p");
    words.textContent = "Your hold has ended. The time may still be free.";
    place.querySelector(".stack-2").replaceChildren(words);
    this.#say(words.textContent);
  }
}
