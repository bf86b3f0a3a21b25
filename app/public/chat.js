// The chat's own manners over Chainlit's face: labels, keys, the banner, and what citations.js and lists.js add.
import * as citations from "/public/citations.js";
import * as lists from "/public/lists.js";
import { getJson, make } from "/public/page.js";

const LABELS = {
  "#new-chat-button": "New conversation",
  "#search-chats-button": "Search conversations",
  "#sidebar-trigger-button": "Show or hide conversations",
  "#chat-settings-open-modal": "Settings",
  "#chat-submit": "Send",
  "#stop-button": "Stop",
  "#user-nav-button": "Account",
  "#chat-input": "Your question",
  "#chat-profiles": "Profile",
  '[role="slider"]': "Passages to read",
  "button:has(> svg.lucide-arrow-down)": "To the end",
  "#thread-options": "Rename or delete",
  'button[class*="positive-feedback"]': "Helpful",
  'button[class*="negative-feedback"]': "Not helpful",
  "button:has(> svg.lucide-copy)": "Copy as shown",
  "button:has(> svg.lucide-message-circle)": "Edit your comment",
  "button:has(> svg.lucide-ellipsis)": "Rename or delete",
  "button:has(> svg.lucide-eye)": "Show the password",
  "button:has(> svg.lucide-eye-off)": "Hide the password",
  'div[role="dialog"] textarea': "Your comment",
};
const KEYS = [
  ["/", "write a question"],
  ["Alt N", "new conversation"],
  ["J, Alt J", "next citation"],
  ["K, Alt K", "previous citation"],
  ["Ctrl K", "search conversations"],
  ["Shift F10", "rename or delete the conversation that has the focus"],
  ["Esc", "close the source"],
  ["?", "show these keys"],
];

function label() {
  for (const [selector, name] of Object.entries(LABELS)) {
    for (const element of document.querySelectorAll(selector)) {
      if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", name);
    }
  }
  for (const options of document.querySelectorAll("div#thread-options:not([role])")) {
    options.setAttribute("role", "button"); // a bare element within a button: keys reach it by Shift F10
  }
  for (const list of document.querySelectorAll('ul[data-sidebar="menu"]:has(> div):not([role])')) {
    list.setAttribute("role", "none"); // Chainlit has lists of threads here, each with its own
  }
  for (const box of document.querySelectorAll("input[cmdk-input][aria-controls]")) {
    const open = String(document.getElementById(box.getAttribute("aria-controls")) !== null);
    if (box.getAttribute("aria-expanded") !== open) box.setAttribute("aria-expanded", open); // it says so always
  }
  for (const image of document.querySelectorAll("img:not([alt])")) image.alt = "";
}

// --- the banner ------------------------------------------------------------------------------------------

const RENEWED = 4000; // milliseconds
let about = null;
let asked = false;

async function showBanner() {
  if (!document.getElementById("header")) return;
  if (!about) {
    if (asked) return;
    asked = true;
    about = await getJson("/about").catch(() => null);
    setTimeout(() => (asked = false), 5000);
    if (!about) return;
    if (about.gathering) setTimeout(renewBanner, RENEWED);
  }
  let banner = document.getElementById("prepshelf-banner");
  if (!banner) {
    banner = make("div", { id: "prepshelf-banner", role: "note", "aria-label": "What answers" }, ...facts());
    const header = document.getElementById("header"); // it may have gone while we asked
    if (!header) return;
    header.after(banner);
  }
  const thread = location.pathname.match(/^\/thread\/([\w-]+)/)?.[1];
  const link = banner.querySelector("a");
  if (thread && link?.dataset.thread !== thread) {
    link?.remove();
    const path = `/threads/${thread}.md`;
    const exported = make("a", { href: path, download: "", textContent: "Export conversation" });
    exported.dataset.thread = thread;
    banner.append(exported);
  } else if (!thread) link?.remove();
}

/** Say how far the reading of the links is, until it has ended. */
async function renewBanner() {
  about = (await getJson("/about").catch(() => null)) || about;
  const banner = document.getElementById("prepshelf-banner");
  const link = banner?.querySelector("a");
  banner?.replaceChildren(...facts(), ...(link ? [link] : []));
  if (about.gathering) setTimeout(renewBanner, RENEWED);
}

function facts() {
  const how = make("button", { type: "button", textContent: "here is how", onclick: showModelHelp });
  const answers = about.model
    ? make("span", {}, "Answered by ", make("strong", { textContent: about.model }))
    : make("span", {}, make("strong", { textContent: "Extractive" }), ", no model configured: ", how);
  const date = new Date(about.date).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
  const have = `${about.covered} of ${about.links} links have text`;
  const coming = `${about.read} of ${about.links} links read`;
  const coverage = about.links ? `, ${about.gathering ? coming : about.ungathered || have}` : "";
  const wide = make("span", { className: "wide", textContent: `: ${about.documents} documents${coverage}` });
  return [answers, make("span", {}, `Shelf of ${date}`, wide)];
}

function showModelHelp() {
  const lines = [
    "PREPSHELF_LLM_URL=http://localhost:11434/v1",
    "PREPSHELF_LLM_MODEL=the-name-of-your-model",
    "PREPSHELF_LLM_API_KEY=only-where-it-wants-one",
  ];
  showDialog(
    "Answers by a language model",
    make("p", {
      textContent:
        "Answers are now sentences of the sources themselves. Any server that speaks the OpenAI protocol can write them" +
        " instead (Ollama, vLLM, llama.cpp or a hosted one); every sentence is still checked against its source." +
        " Set these variables where Prepshelf is started, then start it again:",
    }),
    make("pre", { textContent: lines.join("\n") }),
  );
}

// --- keys --------------------------------------------------------------------------------------------------

function showKeys() {
  const rows = KEYS.flatMap(([keys, does]) => [
    make("dt", {}, ...keys.split(", ").flatMap((key, n) => [n ? " or " : "", make("kbd", { textContent: key })])),
    make("dd", { textContent: does }),
  ]);
  showDialog("Keys", make("dl", {}, ...rows));
}

function showDialog(name, ...content) {
  const close = make("button", { type: "button", textContent: "Close", autofocus: true });
  const dialog = make(
    "dialog",
    { className: "prepshelf", "aria-label": name },
    make("h2", { textContent: name }),
    ...content,
    close,
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Open the menu of the thread that has the focus: Chainlit opens it by the mouse alone. */
function openThreadMenu(from) {
  const options = from.closest?.('li[data-sidebar="menu-item"]')?.querySelector("#thread-options");
  options?.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, button: 0, ctrlKey: false }));
  return Boolean(options);
}

function onKey(event) {
  if ((event.key === "F10" && event.shiftKey) || event.key === "ContextMenu") {
    if (openThreadMenu(event.target)) event.preventDefault();
    return;
  }
  const typing = event.target instanceof Element && event.target.matches("input, textarea, select, [contenteditable]");
  const acts = {
    KeyN: event.altKey && (() => document.getElementById("new-chat-button")?.click()),
    KeyJ: (event.altKey || !typing) && (() => citations.step(1)),
    KeyK: (event.altKey || !typing) && (() => citations.step(-1)),
  };
  const act =
    !event.ctrlKey && !event.metaKey && !document.querySelector("dialog[open], [role=dialog]")
      ? acts[event.code] ||
        (!typing && event.key === "/" && (() => document.getElementById("chat-input")?.focus())) ||
        (!typing && event.key === "?" && showKeys) ||
        (event.key === "Escape" && (() => citations.closePanel() || (typing && event.target.blur())))
      : null;
  if (!act) return;
  if (event.key !== "Escape") event.preventDefault();
  act();
}

// --- beginning ---------------------------------------------------------------------------------------------

let scheduled = false;
let path = location.pathname;

function dress() {
  scheduled = false;
  if (path !== location.pathname) {
    const fromStart = path === "/" && location.pathname.startsWith("/thread/"); // the thread got its address
    path = location.pathname;
    if (!fromStart) citations.closePanel();
  }
  label();
  citations.dressChips();
  lists.dressAnswers();
  lists.dressReadingLists();
  showBanner();
}

new MutationObserver(() => {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(dress);
}).observe(document.body, { childList: true, subtree: true }); // dialogs stand beside the root
document.addEventListener("keydown", onKey);
citations.listen();
lists.listen();
dress(); // the page may stand already, and then nothing more changes
