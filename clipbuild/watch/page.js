"use strict";
// Shows what the screen says; a clip that was made again takes the place of the old one once it can play.
const clips = document.getElementById("clips"), phase = document.getElementById("phase"), problems = document.getElementById("problems");
const shown = new Map();

function word(state) {
  if (state.phase === "building") return `making ${state.done} of ${state.total}`;
  if (state.phase === "wrong") return "something is wrong";
  return state.seconds ? `up to date (${state.seconds} s)` : "up to date";
}

function clipOf(made) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, loop: true, autoplay: true, playsInline: true, controls: false, src: `/media/${made.video}` });
  if (made.cover) video.poster = `/media/${made.cover}`;
  video.addEventListener("click", () => { video.controls = !video.controls; });
  return video;
}

function figureOf(made) {
  const figure = document.createElement("figure"), frame = document.createElement("div"), words = document.createElement("figcaption");
  frame.className = "frame";
  frame.append(clipOf(made));
  words.append(document.createElement("b"), document.createElement("span"));
  figure.append(frame, words);
  return figure;
}

function change(figure, made) {
  const frame = figure.firstChild, old = frame.querySelector("video:not(.next)");
  frame.querySelectorAll("video.next").forEach((video) => video.remove());
  const next = clipOf(made);
  next.className = "next";
  next.addEventListener("canplay", () => {
    if (!next.isConnected) return;
    old.remove();
    next.className = "";
    frame.classList.add("fresh");
    requestAnimationFrame(() => requestAnimationFrame(() => frame.classList.remove("fresh")));
  }, { once: true });
  frame.append(next);
}

function show(state) {
  phase.textContent = word(state);
  phase.dataset.phase = state.phase;
  problems.hidden = !state.problems.length;
  problems.textContent = state.problems.join("\n\n");
  const keys = new Set();
  for (const made of state.clips) {
    const key = `${made.clip} ${made.platforms[0]}`;
    keys.add(key);
    let figure = shown.get(key);
    if (!figure) shown.set(key, (figure = figureOf(made)));
    else if (figure.dataset.video !== made.video) change(figure, made);
    figure.dataset.video = made.video;
    figure.dataset.clip = made.clip;
    figure.querySelector("b").textContent = made.clip;
    figure.querySelector("span").textContent = made.platforms.join(", ");
  }
  for (const [key, figure] of shown) if (!keys.has(key)) { figure.remove(); shown.delete(key); }
  const order = state.clips.map((made) => shown.get(`${made.clip} ${made.platforms[0]}`));
  order.forEach((figure, n) => { if (clips.children[n] !== figure) clips.insertBefore(figure, clips.children[n] || null); });
  clips.querySelectorAll(".none").forEach((line) => line.remove());
  if (!order.length) {
    const line = document.createElement("p");
    line.className = "none";
    line.textContent = "Nothing was made yet.";
    clips.append(line);
  }
}

const news = new EventSource("/news");
news.onmessage = (event) => show(JSON.parse(event.data));
news.onerror = () => { phase.textContent = "clipbuild watch has ended"; phase.dataset.phase = "away"; };
