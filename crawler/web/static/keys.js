// The keys of the newsroom: j k o s / and ?. Every page works without this file, and the foot of each page switches it off.
"use strict";

(() => {
  const rows = Array.from(document.querySelectorAll(".story"));
  let current = rows.findIndex((row) => row.id && row.id === readFragment());

  function readFragment() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return ""; // an address that somebody cut off within an encoded letter
    }
  }

  function select(index) {
    const row = rows[Math.max(0, Math.min(index, rows.length - 1))];
    if (!row) return;
    for (const other of rows) other.classList.toggle("current", other === row);
    current = rows.indexOf(row);
    const link = row.querySelector("h3 a");
    if (link) link.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function open() {
    const link = current >= 0 && rows[current].querySelector("h3 a");
    if (link) link.click();
  }

  function markSeen() {
    const place = current >= 0 ? rows[current] : document.querySelector(".toolbar");
    const button = place && place.querySelector('button[value="seen"], button[value="unseen"]');
    if (button) button.click();
  }

  function search() {
    const field = document.querySelector("#q, #q0");
    if (!field || !field.offsetParent) {
      location.assign("/search");
      return;
    }
    field.focus();
    field.select();
  }

  function explain() {
    const help = document.querySelector("#keys");
    if (!help) return;
    help.open = !help.open;
    help.querySelector("summary").focus();
    help.scrollIntoView({ block: "nearest" });
  }

  const actions = {
    j: () => select(current + 1),
    k: () => select(current < 0 ? 0 : current - 1),
    o: open,
    s: markSeen,
    "/": search,
    "?": explain,
  };

  // On a Russian or Kazakh keyboard these keys have other letters, so their place counts.
  const places = { KeyJ: "j", KeyK: "k", KeyO: "o", KeyS: "s" };

  function getKey(event) {
    return /^[а-яёәғқңөұүһі]$/.test(event.key) ? places[event.code] : event.key;
  }

  if (current >= 0) rows[current].classList.add("current");
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select");
    const action = actions[getKey(event)];
    if (!action || isTyping || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    event.preventDefault();
    action();
  });
})();
