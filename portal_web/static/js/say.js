// Sentences into elements, never as markup: **words** become bold, [14:01](…Z) a <time>, everything else text.
import { machine } from "./time.js";

const PIECES = /\*\*(.+?)\*\*|\[([0-9:]+)\]\(([-0-9T:]+Z)\)/g;

export function time(at, text) {
  const element = document.createElement("time");
  element.dateTime = machine(at);
  element.textContent = text;
  return element;
}

/** The nodes of a sentence. */
export function rich(sentence) {
  const nodes = [];
  let from = 0;
  for (const match of sentence.matchAll(PIECES)) {
    nodes.push(sentence.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] === undefined) {
      const element = document.createElement("time");
      element.dateTime = match[3];
      element.textContent = match[2];
      nodes.push(element);
    } else {
      const strong = document.createElement("b");
      strong.append(...rich(match[1]));
      nodes.push(strong);
    }
  }
  return [...nodes, sentence.slice(from)].filter((node) => node !== "");
}

/** `<svg class="i"><use href="…#i-name"></svg>` */
export function icon(sprite, name) {
  const SVG = "http://www.w3.org/2000/svg";
  const element = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  element.setAttribute("class", "i");
  element.setAttribute("aria-hidden", "true");
  element.setAttribute("focusable", "false");
  use.setAttribute("href", `${sprite}#i-${name}`);
  element.append(use);
  return element;
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
