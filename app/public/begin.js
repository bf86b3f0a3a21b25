// Chainlit's bundle expects this name; in the page it would need an inline script, which our policy forbids.
const global = globalThis;
