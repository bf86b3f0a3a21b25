// Citations: chips, the preview over a chip, and the panel that shows the quote marked in its passage.
import { announce, make, recordOf } from "/public/page.js";

const CHIP = '.message-content a[title^="Citation "], .message-content a[data-citation]';
const PREVIEW_AFTER = 220; // milliseconds of hovering

let opened = null; // the chip whose citation the panel shows

const numberOf = (chip) => Number((chip.dataset.citation ?? chip.title).match(/^Citation (\d+)/)?.[1]);

/** Name chips for screen readers and for scripts. */
export function dressChips() {
  for (const chip of document.querySelectorAll(CHIP)) {
    const name = chip.title || chip.dataset.citation;
    if (chip.getAttribute("aria-label") === name) continue;
    chip.classList.add("element-link");
    chip.setAttribute("aria-label", name);
    chip.rel = "noopener noreferrer";
  }
}

async function citationOf(chip) {
  const record = await recordOf(chip);
  return record?.citations?.find((citation) => citation.n === numberOf(chip)) ?? null;
}

/** Return a passage with its quote marked; where that is cut, with so many characters before and after it. */
function marked(citation, around = Infinity) {
  const { passage, quote, at } = citation;
  if (at < 0) return [make("mark", {}, quote)];
  const begin = Math.max(0, at - around);
  const end = Math.min(passage.length, at + quote.length + around);
  return [
    (begin > 0 ? "…" : "") + passage.slice(begin, at),
    make("mark", {}, quote),
    passage.slice(at + quote.length, end) + (end < passage.length ? "…" : ""),
  ];
}

// --- the panel ---------------------------------------------------------------------------------------

const title = make("h2", { id: "side-view-title", tabIndex: -1 });
const content = make("div", { id: "side-view-content", tabIndex: 0, role: "region", "aria-label": "Passage" });
const place = make("span", {});
const panel = make(
  "aside",
  { id: "prepshelf-panel", hidden: true, "aria-labelledby": "side-view-title" },
  make(
    "header",
    {},
    title,
    make("button", { type: "button", "aria-label": "Close the source", onclick: () => closePanel(), textContent: "✕" }),
  ),
  content,
  make(
    "footer",
    {},
    make("button", { type: "button", onclick: () => step(-1), textContent: "‹ Previous" }),
    place,
    make("button", { type: "button", onclick: () => step(1), textContent: "Next ›" }),
  ),
);

/** Show a chip's citation at the side; true where there is one. */
export async function openPanel(chip, { focus = true } = {}) {
  hidePreview();
  const citation = await citationOf(chip);
  if (!citation) return false;
  if (!panel.isConnected) document.body.append(panel);
  opened?.classList.remove("is-open");
  opened = chip;
  chip.classList.add("is-open");
  title.textContent = citation.title;
  const facts = [citation.site, citation.kind, citation.date].filter(Boolean).join(" · ");
  const path = citation.heading.map((heading) => make("span", { textContent: heading }));
  const support = { weak: "The source says something near to this.", unsupported: "The source does not say this." };
  const passage = make("p", { className: "passage" }, ...marked(citation));
  content.replaceChildren(
    make("p", { className: "facts", textContent: facts }),
    ...(path.length ? [make("p", { className: "path", "aria-label": "Heading path" }, ...path)] : []),
    ...(support[citation.support] ? [make("p", { className: "support", textContent: support[citation.support] })] : []),
    passage,
    ...(citation.open ? [openLink(citation)] : []),
  );
  panel.hidden = false;
  document.body.classList.add("panel-open");
  const all = chipsBeside(chip);
  place.textContent = `${all.findIndex((other) => numberOf(other) === citation.n) + 1} of ${all.length}`;
  passage.querySelector("mark")?.scrollIntoView({ block: "center" });
  if (focus) title.focus({ preventScroll: true });
  announce(`${citation.title}: ${citation.quote}`);
  return true;
}

function openLink(citation) {
  const note = citation.open.startsWith("/notes/");
  return make("a", {
    className: "open",
    href: citation.open,
    target: "_blank",
    rel: "noopener noreferrer",
    textContent: note ? "Open the note at the quote" : "Open at the quote",
  });
}

export function closePanel() {
  if (panel.hidden) return false;
  panel.hidden = true;
  document.body.classList.remove("panel-open");
  opened?.classList.remove("is-open");
  const chip = opened;
  opened = null;
  quiet = true; // the focus comes back by itself, which is no wish for a preview
  chip?.focus({ preventScroll: true });
  quiet = false;
  return true;
}

/** Return one chip a citation of the answer that a chip stands in, in the order of first use. */
function chipsBeside(chip) {
  const seen = new Map();
  for (const other of chip.closest(".message-content").querySelectorAll(CHIP)) {
    if (!seen.has(numberOf(other))) seen.set(numberOf(other), other);
  }
  return [...seen.values()];
}

/** Go to the next citation (1) or the previous one (-1) of the answer at hand. */
export function step(by) {
  const from = opened?.isConnected ? opened : [...document.querySelectorAll(CHIP)].at(-1);
  if (!from) return;
  const all = chipsBeside(from);
  const here = opened?.isConnected ? all.findIndex((chip) => numberOf(chip) === numberOf(from)) : by > 0 ? -1 : 0;
  const next = all[(here + by + all.length) % all.length];
  next.scrollIntoView({ block: "nearest" });
  openPanel(next, { focus: false });
}

// --- the preview ---------------------------------------------------------------------------------------

const preview = make("div", { id: "prepshelf-preview", hidden: true, role: "tooltip" });
let timer = 0;
let quiet = false;

async function showPreview(chip) {
  const citation = await citationOf(chip);
  if (!citation || preview.dataset.for !== String(numberOf(chip)) || !chip.matches(":hover, :focus-visible")) return;
  preview.replaceChildren(
    make("b", { textContent: citation.title }),
    [citation.site, ...citation.heading.slice(-1)].join(" · "),
    make("p", {}, ...marked(citation, 60)),
  );
  if (!preview.isConnected) document.body.append(preview);
  preview.hidden = false;
  const box = chip.getBoundingClientRect();
  const left = Math.min(box.left, innerWidth - preview.offsetWidth - 12);
  const above = box.top - preview.offsetHeight - 8;
  preview.style.left = `${Math.max(12, left)}px`;
  preview.style.top = `${above > 8 ? above : box.bottom + 8}px`;
}

function hidePreview() {
  clearTimeout(timer);
  preview.hidden = true;
  delete preview.dataset.for;
}

function awaitPreview(chip) {
  hidePreview();
  if (chip.title) {
    chip.dataset.citation = chip.title; // the browser's own tooltip would cover ours
    chip.removeAttribute("title");
  }
  preview.dataset.for = String(numberOf(chip));
  timer = setTimeout(() => showPreview(chip), PREVIEW_AFTER);
}

export function listen() {
  const chipAt = (event) => (event.target instanceof Element ? event.target.closest(CHIP) : null);
  document.addEventListener("click", async (event) => {
    const chip = chipAt(event);
    if (!chip || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!(await openPanel(chip)) && chip.href) open(chip.href, "_blank", "noopener,noreferrer");
  });
  document.addEventListener("pointerover", (event) => {
    const chip = event.pointerType === "mouse" ? chipAt(event) : null;
    if (chip) awaitPreview(chip);
  });
  document.addEventListener("pointerout", (event) => chipAt(event) && hidePreview());
  document.addEventListener("focusin", (event) => {
    const chip = chipAt(event);
    if (!quiet && panel.hidden && chip?.matches(":focus-visible")) awaitPreview(chip);
  });
  document.addEventListener("focusout", (event) => chipAt(event) && hidePreview());
  document.addEventListener("scroll", hidePreview, { capture: true, passive: true });
}
