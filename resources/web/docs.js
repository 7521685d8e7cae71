"use strict";
const search = document.getElementById("search");
const found = document.getElementById("found");
const items = [...document.querySelectorAll("details[data-words]")];
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const groups = [...document.querySelectorAll("nav section, main > section:not(.intro)")];

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const item of items) {
    const fits = words.every((word) => item.dataset.words.includes(word));
    item.hidden = !fits;
    if (fits && item.classList.contains("operation")) count += 1;
    if (links.has(item.id)) links.get(item.id).hidden = !fits;
  }
  for (const group of groups) {
    const inside = [...group.querySelectorAll("details[data-words], nav a")];
    group.hidden = inside.length > 0 && inside.every((one) => one.hidden);
  }
  found.textContent = words.length ? `${count} operation${count === 1 ? "" : "s"}` : "";
}

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
  }
}

search.disabled = false;
search.addEventListener("input", filter);
addEventListener("hashchange", open);
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
open();
