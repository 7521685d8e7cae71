"use strict";
// The shop floor, asked again after each change that /ws tells of, and now and then for the progress.
const PROGRESS_MS = 3000, CALM_MS = 250, SILENT_MS = 60000, LONGEST_PAUSE_MS = 30000, WIDE_PX = 960, LARGEST_PX = 40, SMALLEST_PX = 11, MOST_NEEDS = .6;
const MACHINE = {
  offline: ["Not reachable", "alarm", "⊘"], idle: ["Idle", "", "○"], assigned: ["Assigned", "", "→"],
  running: ["Running", "running", "▶"], held: ["Held", "held", "❚❚"], alarm: ["Alarm", "alarm", "▲"],
  needs_clearing: ["Clear it", "operator", "●"], maintenance: ["Maintenance", "", "✕"],
};
const at = (id) => document.getElementById(id);
let asked = 0, shown = 0, wanted = 0, lastWord = Date.now(), pause = 1000, lost = null, fitted = "";

function make(tag, words, kind) {
  const made = document.createElement(tag);
  if (words !== undefined) made.textContent = words;
  if (kind) made.className = kind;
  return made;
}

function duration(seconds) {
  const s = Math.max(0, Math.round(seconds)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  const two = (n) => String(n).padStart(2, "0");
  if (h >= 48) return Math.floor(h / 24) + " d";
  return h ? `${h}:${two(m)} h` : `${two(m)}:${two(s % 60)}`;
}

function since(time, now) { return duration((Date.parse(now) - Date.parse(time)) / 1000); }

function title(job) { return job.operation ? `${job.name} · ${job.operation}` : job.name; }

function machine(one, now) {
  const [word, tone, sign] = MACHINE[one.state] || [one.state, "", ""];
  const card = make("li", undefined, "machine"), head = make("header");
  head.append(make("b", one.name), make("span", `${sign} ${word} ${since(one.state_since, now)}`, "chip " + tone));
  card.append(head);
  if (one.job) {
    card.append(make("b", title(one.job)));
    const told = one.telemetry;
    if (told) {
      const line = make("div", undefined, "left"), bar = make("progress");
      if (told.remaining_s !== null) line.append(make("strong", duration(told.remaining_s)));
      const parts = told.parts > 1 ? ` · part ${told.part} of ${told.parts}` : "";
      line.append(make("span", `${Math.floor(told.fraction * 100)} %${parts}`, "muted"));
      bar.max = 1; bar.value = told.fraction; bar.setAttribute("aria-label", "Progress");
      card.append(line, bar);
    }
  } else if (one.next_job) card.append(make("span", "next: " + title(one.next_job), "muted"));
  const why = one.state_reason || one.not_ready || (one.job ? "" : one.why_idle);
  if (why) card.append(make("span", why, "muted"));
  return card;
}

function need(one, now) {
  const item = make("li", undefined, "item waits"), head = make("div");
  head.append(make("b", one.title), make("span", since(one.since, now), "muted"));
  item.append(head, make("span", one.text, "muted"));
  return item;
}

function upcoming(job) {
  const item = make("li", undefined, "item"), head = make("div");
  head.append(make("b", title(job)), make("span", "P" + job.priority, "muted"));
  item.append(head, make("span", job.next || "", "muted"));
  return item;
}

function fill(list, items, empty) {
  list.replaceChildren(...(items.length ? items : [make("li", empty, "muted")]));
}

function show(floor) {
  const counts = [["Waiting", floor.counts.pending], ["Running", floor.counts.running],
    ["Needing attention", floor.counts.failed], ["Late", floor.counts.late]];
  at("counts").replaceChildren(...counts.map(([word, count]) => {
    const pair = make("div"); pair.append(make("dt", word), make("dd", count.toLocaleString("en"))); return pair;
  }));
  fill(at("needs-list"), floor.needs_you.map((one) => need(one, floor.at)), "Nothing waits for a person.");
  fill(at("machines"), floor.machines.map((one) => machine(one, floor.at)), "There is no machine yet.");
  fill(at("next-list"), floor.next_up.map(upcoming), "No job waits.");
  refit(floor);
  cut();
  at("needs-count").textContent = floor.needs_you.length || "";
  at("next-count").textContent = floor.counts.pending ? `${floor.counts.pending.toLocaleString("en")} waiting` : "";
}

// On a large screen the machines are as large as fits without scrolling; the list of next jobs ends where the screen does.
function fit() {
  const root = document.documentElement, floor = at("floor"), needs = at("needs");
  let size = 16, fits = false;
  for (size = LARGEST_PX; innerWidth >= WIDE_PX && size > SMALLEST_PX && !fits; size--) {
    root.style.fontSize = size + "px";
    fits = floor.scrollHeight <= floor.clientHeight && needs.offsetHeight <= MOST_NEEDS * innerHeight;
  }
  if (innerWidth < WIDE_PX) root.style.fontSize = "";
  document.body.classList.toggle("long", !fits);
}

// Not at each change: a board that grows and shrinks cannot be read.
function refit(floor) {
  const now = [floor.machines.length, floor.needs_you.length, innerWidth, innerHeight].join();
  if (now !== fitted || at("floor").scrollHeight > at("floor").clientHeight) { fitted = now; fit(); }
}

// A job that is cut off at the end of the screen is not shown.
function cut() {
  const whole = document.body.classList.contains("long") || innerWidth < WIDE_PX;
  for (const item of at("next-list").children) item.hidden = !whole && item.getBoundingClientRect().bottom > innerHeight;
}

function connected(is) {
  if (is) lost = null; else lost = lost || new Date();
  document.body.classList.toggle("lost", !is);
  const time = lost && lost.toLocaleTimeString("en-GB", {hour: "2-digit", minute: "2-digit"});
  at("link").textContent = is ? "" : `No word from the station since ${time}: what is shown is old`;
}

async function ask() {
  const number = ++asked;
  try {
    const headers = token() ? {Authorization: "Bearer " + token()} : {};
    const answer = await fetch("/api/v1/floor", {cache: "no-store", headers, signal: AbortSignal.timeout(10000)});
    at("sign-on").hidden = answer.status !== 401;
    if (!answer.ok) throw new Error(String(answer.status));
    const floor = await answer.json();
    if (number > shown) { shown = number; show(floor); }
    connected(true);
  } catch { connected(false); }
}

function soon() { if (!wanted) wanted = setTimeout(() => { wanted = 0; ask(); }, CALM_MS); }

function listen() {
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws");
  const watch = setInterval(() => { if (Date.now() - lastWord > SILENT_MS) socket.close(); else say(socket, "PING"); }, SILENT_MS / 3);
  socket.onopen = () => { lastWord = Date.now(); pause = 1000; if (token()) say(socket, "AUTH", {token: token()}); say(socket, "SUBSCRIBE"); soon(); };
  socket.onmessage = (message) => {
    lastWord = Date.now();
    if (["EVENT", "RESYNC"].includes(JSON.parse(message.data).type)) soon();
  };
  socket.onclose = () => { clearInterval(watch); soon(); setTimeout(listen, pause); pause = Math.min(2 * pause, LONGEST_PAUSE_MS); };
}

function say(socket, type, more) { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({type, ...more})); }

// Where the shop uses accounts: kept for this tab only, and never in an address.
function token() { return sessionStorage.getItem("token") || ""; }

function use() { sessionStorage.setItem("token", at("token").value.trim()); at("token").value = ""; pause = 1000; ask(); }

function tick() {
  at("clock").textContent = new Date().toLocaleTimeString("en-GB", {hour: "2-digit", minute: "2-digit"});
}

at("use").addEventListener("click", use);
setInterval(tick, 1000);
setInterval(() => { if (!document.hidden) ask(); }, PROGRESS_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
tick(); ask(); listen();
