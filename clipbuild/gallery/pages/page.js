"use strict";
const $ = (what, from = document) => from.querySelector(what);
const all = (what, from = document) => [...from.querySelectorAll(what)];
const live = document.body.dataset.live === "yes";
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const words = { approve: "approved", reject: "rejected", retake: "rejected" };

function say(text) {
  const place = $("#said");
  place.textContent = text;
  place.classList.add("on");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => place.classList.remove("on"), 5000);
}

/* light and dark */
function theme(name) {
  document.documentElement.dataset.theme = name;
  try { localStorage.setItem("theme", name); } catch { /* not kept */ }
}
try { if (localStorage.getItem("theme")) theme(localStorage.getItem("theme")); } catch { /* not kept */ }
function otherTheme() {
  const now = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  theme(now === "dark" ? "light" : "dark");
}
$("#theme").addEventListener("click", otherTheme);
$("#help").addEventListener("click", () => $("#keys").showModal());

/* decisions: always of the bytes that are on the page */
async function decide(verdict, from, reason = "") {
  if (!live || !from || !from.dataset.digest) return false;
  let answer, told;
  try {
    answer = await fetch(`/api/${verdict}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-clipbuild-page": document.body.dataset.page },
      body: JSON.stringify({ name: from.dataset.name, digest: from.dataset.digest, reason }),
    });
    told = await answer.json();
  } catch {
    say("The server is gone: start `clipbuild review` again.");
    return false;
  }
  if (!answer.ok) {
    say([told.error, told.hint].filter(Boolean).join(" — "));
    document.body.dataset.refused = String(answer.status);
    return false;
  }
  mark(from, told.state);
  say(`${from.dataset.name}: ${verdict === "retake" ? "another take is noted" : words[verdict]}`);
  return true;
}
function mark(from, state) {
  const was = from.dataset.state;
  const chip = $(".chip", from);
  from.dataset.state = state;
  from.classList.replace(was, state);
  for (const one of [chip, $(".dot", chip)]) one.classList.replace(was, state);
  chip.lastChild.textContent = state;
  const count = $("#decided");
  if (count && !["approved", "rejected"].includes(was)) count.textContent = Number(count.textContent) + 1;
}

/* the wall */
const wall = $("#wall");
const cards = () => all(".card:not([hidden])", wall);
function play(card) {
  if (!card.dataset.video || $("video", card)) return;
  const video = document.createElement("video");
  Object.assign(video, { muted: true, loop: true, playsInline: true, src: card.dataset.video });
  $(".frame", card).append(video);
  video.play().catch(() => {});
}
function stop(card) { const video = $("video", card); if (video) { video.removeAttribute("src"); video.load(); video.remove(); } }
function reach(step) {
  const list = cards(), at = list.indexOf(document.activeElement);
  const next = list[Math.min(list.length - 1, Math.max(0, at + step))];
  if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
}
function across() {
  const list = cards();
  return list.filter((card) => card.offsetTop === list[0].offsetTop).length || 1;
}
if (wall) {
  for (const card of all(".card", wall)) {
    card.addEventListener("pointerenter", () => play(card));
    card.addEventListener("pointerleave", () => stop(card));
    card.addEventListener("focus", () => { if (!still) play(card); });
    card.addEventListener("blur", () => stop(card));
  }
  const form = $("#filters");
  form.addEventListener("change", () => (live ? form.submit() : narrow()));
  form.addEventListener("submit", (event) => { if (!live) { event.preventDefault(); narrow(); } });
  for (const link of all(".states a")) link.addEventListener("click", (event) => {
    if (live) return;
    event.preventDefault();
    form.elements.state.value = link.dataset.state;
    for (const other of all(".states a")) other.toggleAttribute("aria-current", other === link);
    narrow();
  });
}
function narrow() {
  const { state, q, platform, recipe } = Object.fromEntries(new FormData($("#filters")));
  let left = 0;
  for (const card of all(".card", wall)) {
    const is = card.dataset;
    const fits = (!state || (state === "risky" ? is.risky : is.state === state)) && (!platform || is.platforms.split(" ").includes(platform))
      && (!recipe || is.recipe === recipe) && q.toLowerCase().split(/\s+/).every((word) => is.text.includes(word));
    card.hidden = !fits;
    left += fits;
  }
  $("#empty").hidden = left > 0;
}

/* one clip */
const look = $("#look");
const video = $("#video");
function overlay(name) {
  for (const one of all(".overlay")) one.classList.toggle("on", one.dataset.platform === name);
  for (const one of all("#overlays button")) one.setAttribute("aria-pressed", String(one.dataset.overlay === name));
  try { sessionStorage.setItem("overlay", name); } catch { /* not kept */ }
}
function nextOverlay() {
  const list = all("#overlays button"), at = list.findIndex((one) => one.getAttribute("aria-pressed") === "true");
  if (list.length) overlay(list[(at + 1) % list.length].dataset.overlay);
}
function compare() {
  const was = $(".was");
  if (!was) return;
  was.hidden = !was.hidden;
  $(".now figcaption").hidden = was.hidden;
  $("#compare").setAttribute("aria-pressed", String(!was.hidden));
  const old = $("video", was);
  if (was.hidden || !video) { old.pause(); return; }
  if (old.preload === "none") { old.preload = "auto"; old.load(); }
  old.currentTime = video.currentTime;
  if (!video.paused) old.play().catch(() => {});
}
function toggle() { if (video) { if (video.paused) video.play().catch(() => {}); else video.pause(); } }
function ask(verdict) {
  const place = $(".reason");
  if (!place) return;
  place.hidden = false;
  place.dataset.verdict = verdict;
  $("button", place).textContent = verdict === "retake" ? "Retake" : "Reject";
  $("#reason").focus();
}
if (look) {
  for (const one of all("#overlays button")) one.addEventListener("click", () => overlay(one.dataset.overlay));
  try { const kept = sessionStorage.getItem("overlay"); if (kept && $(`#overlays [data-overlay="${CSS.escape(kept)}"]`)) overlay(kept); } catch { /* not kept */ }
  $("#compare")?.addEventListener("click", compare);
  if (video) {
    const old = () => ($(".was") && !$(".was").hidden ? $(".was video") : null);
    video.addEventListener("play", () => old()?.play().catch(() => {}));
    video.addEventListener("pause", () => old()?.pause());
    video.addEventListener("seeked", () => { if (old()) old().currentTime = video.currentTime; });
  }
  for (const one of all("[data-verdict]", $("#decide") || document.createElement("p")))
    if (one.type === "button") one.addEventListener("click", () => press(one.dataset.verdict));
  $("#decide")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = $(".reason");
    if (await decide(place.dataset.verdict, look, $("#reason").value)) { place.hidden = true; document.activeElement.blur(); }
  });
}
function press(verdict) {
  if (verdict === "retake" && !$('[data-verdict="retake"]')) return;
  if (verdict === "approve") decide(verdict, look); else ask(verdict);
}

/* keys */
const go = (what) => { const link = $(what); if (link) location.assign(link.href); };
const keys = {
  a: () => (look ? press("approve") : decide("approve", document.activeElement.closest?.(".card"))),
  r: () => (look ? press("reject") : document.activeElement.closest?.(".card")?.click()),
  t: () => look && press("retake"),
  o: nextOverlay, c: compare, d: otherTheme,
  "?": () => $("#keys").showModal(),
  "/": () => $("#q")?.focus(),
  " ": toggle,
  ArrowRight: () => (look ? go('[rel="next"]') : reach(1)),
  ArrowLeft: () => (look ? go('[rel="prev"]') : reach(-1)),
  ArrowDown: () => wall && reach(across()),
  ArrowUp: () => wall && reach(-across()),
  Escape: () => look && go(".brand"),
};
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, dialog, video")) {
    if (event.key === "Escape" && !event.target.closest("dialog")) { event.target.blur(); const place = $(".reason"); if (place) place.hidden = true; }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act && !((event.key === " ") && event.target.closest("button, summary, a:not(.card)"))) { event.preventDefault(); act(); }
});

/* something else to see? */
if (live && (wall || look)) {
  let seen = null;
  setInterval(async () => {
    if (document.hidden || document.activeElement?.matches("input")) return;
    try {
      const { stamp } = await (await fetch("/api/state")).json();
      if (seen !== null && stamp !== seen && !document.body.dataset.refused) refresh();
      seen = stamp;
    } catch { /* asked again soon */ }
  }, 2000);
}
async function refresh() {
  const text = await (await fetch(location.href)).text();
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const now = $("#wall, #look"), then = $("#wall, #look", fresh);
  if (!now || !then) return;
  if (now.id === "look") { if (then.dataset.digest !== now.dataset.digest) location.reload(); return; }
  for (const card of all(".card", then)) {
    const old = all(".card", now).find((one) => one.dataset.name === card.dataset.name);
    if (!old || old.dataset.digest !== card.dataset.digest) { location.reload(); return; }
    if (old.dataset.state !== card.dataset.state) mark(old, card.dataset.state);
  }
}
