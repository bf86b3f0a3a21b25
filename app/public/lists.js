// Lists: reading marks that are kept, what stands under an answer, and taking things along.
import { announce, ask, getJson, make, recordOf, stepOf } from "/public/page.js";

let reads = null; // addresses that were read, once they are known

function knownReads() {
  reads ??= getJson("/reads")
    .then((urls) => new Set(urls))
    .catch(() => {
      reads = null;
      return new Set();
    });
  return reads;
}

/** Put a box that can be ticked in the place of each one that Markdown made. */
export async function dressReadingLists() {
  for (const content of document.querySelectorAll(".message-content:has(.task-list-item)")) {
    const cards = [...content.querySelectorAll(".task-list-item")].filter((card) => !card.querySelector(".tick"));
    if (!cards.length) continue;
    const all = [...content.querySelectorAll(".task-list-item")];
    const [record, read] = await Promise.all([recordOf(content), knownReads()]);
    for (const card of record ? cards : []) {
      const item = record.items?.[all.indexOf(card)];
      if (item && !card.querySelector(".tick")) card.prepend(tick(card, item, read));
    }
  }
}

function tick(card, item, read) {
  const box = make("input", { type: "checkbox", className: "tick", "aria-label": `Read: ${item.title}` });
  const show = (isRead) => {
    box.checked = isRead;
    card.classList.toggle("is-read", isRead);
  };
  show(read.has(item.url));
  box.addEventListener("change", async () => {
    const isRead = box.checked;
    show(isRead);
    const response = await fetch("/reads", {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ url: item.url, read: isRead }),
    }).catch(() => null);
    if (!response?.ok) {
      show(!isRead);
      announce("That could not be saved.");
      return;
    }
    if (isRead) read.add(item.url);
    else read.delete(item.url);
    announce(isRead ? "Marked as read" : "Marked as unread");
  });
  return box;
}

/** Tell the lists under small headings apart, and put the tools under an answer that has a record. */
export function dressAnswers() {
  for (const heading of document.querySelectorAll(".message-content h6")) {
    const list = heading.nextElementSibling;
    const name = { Sources: "sources", "Ask next": "next" }[heading.textContent];
    if (name && list?.tagName === "UL" && !list.classList.contains(name)) list.classList.add(name);
  }
  const finished = ".ai-message .message-content:has(h6 + ul.sources, .task-list-item)";
  for (const content of document.querySelectorAll(finished)) {
    if (!content.parentElement.querySelector(":scope > .prepshelf-tools")) content.after(tools(content));
  }
}

function tools(content) {
  const id = stepOf(content);
  const isList = content.querySelector(".task-list-item") !== null;
  const link = (form, text) => make("a", { href: `/answers/${id}.${form}`, download: "", textContent: text });
  const copy = make("button", { type: "button", textContent: "Copy with citations" });
  copy.addEventListener("click", async () => {
    const response = await fetch(`/answers/${id}.md`).catch(() => null);
    if (!response?.ok) return announce("That could not be copied.");
    await navigator.clipboard.writeText(await response.text());
    copy.textContent = "Copied";
    announce("Copied as Markdown with citations");
    setTimeout(() => (copy.textContent = "Copy with citations"), 1800);
  });
  const parts = [copy, link("md", "Markdown"), isList ? link("csv", "CSV") : null];
  return make("div", { className: "prepshelf-tools", role: "group", "aria-label": "Take this along" }, ...parts);
}

/** Let links that ask a question ask it, and those that explain a mark do nothing. */
export function listen() {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest(".message-content a") : null;
    const href = link?.getAttribute("href") ?? "";
    if (href === "#ask" || href.startsWith("/legend#")) event.preventDefault();
    if (href === "#ask") ask(link.title || link.textContent);
  });
}
