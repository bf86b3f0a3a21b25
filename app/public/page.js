// What the other scripts share: making elements, asking the server, and sending a question.

/** Return an element with properties and children; text is set as text, never read as HTML. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

const records = new Map();

/** Return what stands behind the message that holds an element, null where nothing does. */
export function recordOf(element) {
  const id = stepOf(element);
  if (!id) return Promise.resolve(null);
  if (!records.has(id)) {
    const found = getJson(`/answers/${id}`).catch(() => {
      records.delete(id); // it may be there in a moment
      return null;
    });
    records.set(id, found);
  }
  return records.get(id);
}

/** Return the id of the message that holds an element. */
export function stepOf(element) {
  const holder = element.closest(".ai-message")?.closest('[id^="step-"]');
  return holder ? holder.id.slice("step-".length) : "";
}

export async function getJson(path) {
  const response = await fetch(path, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** Send a question as if it had been typed; where one is running, leave it in the box. */
export function ask(question) {
  const box = document.getElementById("chat-input");
  if (!box) return;
  // React keeps the value itself and hears of a change only by this event.
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, question);
  box.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(() => document.getElementById("chat-submit")?.click());
  box.focus();
}

/** Say something to a screen reader without moving the focus. */
export function announce(text) {
  let place = document.getElementById("prepshelf-announcer");
  if (!place) {
    place = make("div", { id: "prepshelf-announcer", className: "visually-hidden", role: "status" });
    document.body.append(place);
  }
  place.textContent = text;
}
