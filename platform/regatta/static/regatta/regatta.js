/* What the pages do beyond reading: local times, a running countdown, exact values under the pointer, dropping files,
   copying code. Every page says all that it has to say without this file. */
"use strict";

const local = (date) => date.toLocaleString([], {weekday: "short", hour: "2-digit", minute: "2-digit"});

function tellLocalTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (isNaN(date)) continue;
    time.title = `${date.toLocaleString()} local time`;
    const beside = time.parentElement.querySelector(".local");
    if (beside) beside.textContent = `· ${local(date)} local time`;
  }
}

function remaining(seconds) {
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  return (days ? `${days} d ` : "") + `${two((seconds / 3600) % 24)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function countDown() {
  const clocks = [...document.querySelectorAll("[data-until]")];
  const tick = () => {
    for (const clock of clocks) {
      const left = (new Date(clock.dataset.until) - Date.now()) / 1000;
      clock.textContent = left > 0 ? remaining(left) : "a moment";
    }
  };
  if (clocks.length) { tick(); setInterval(tick, 1000); }
}

function readValues(chart) {
  const area = chart.querySelector(".area");
  const table = chart.querySelector(".same table");
  if (!area || !table) return;
  const head = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = table.tBodies[0].rows;
  const cross = chart.appendChild(Object.assign(document.createElement("div"), {className: "cross", hidden: true}));
  const reading = chart.appendChild(Object.assign(document.createElement("div"), {className: "reading", hidden: true}));
  const show = (place) => {
    const cells = [...rows[place].cells].map((cell) => cell.textContent);
    reading.replaceChildren(Object.assign(document.createElement("b"), {textContent: cells[0]}));
    cells.slice(1).forEach((text, index) => {
      const line = reading.appendChild(document.createElement("span"));
      line.append(head[index + 1], Object.assign(document.createElement("i"), {textContent: text}));
    });
  };
  area.addEventListener("pointermove", (event) => {
    const box = area.getBoundingClientRect(), frame = chart.getBoundingClientRect();
    const place = Math.max(0, Math.min(rows.length - 1, Math.round(((event.clientX - box.left) / box.width) * (rows.length - 1))));
    const x = box.left - frame.left + (place / Math.max(1, rows.length - 1)) * box.width;
    cross.hidden = reading.hidden = false;
    show(place);
    Object.assign(cross.style, {left: `${x}px`, top: `${box.top - frame.top}px`, height: `${box.height}px`});
    const right = x + 14 + reading.offsetWidth > frame.width;
    Object.assign(reading.style, {left: `${Math.max(0, right ? x - 14 - reading.offsetWidth : x + 14)}px`, top: `${box.top - frame.top + 6}px`});
  });
  area.addEventListener("pointerleave", () => { cross.hidden = reading.hidden = true; });
}

function takeDrops(zone) {
  const input = zone.querySelector("input[type=file]");
  const name = zone.querySelector("[data-name]");
  const tell = () => { if (name && input.files.length) name.textContent = `${input.files[0].name}, ${Math.ceil(input.files[0].size / 1000)} kB`; };
  input.addEventListener("change", tell);
  for (const kind of ["dragenter", "dragover"]) zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; tell(); }
  });
}

function offerCopies() {
  if (!navigator.clipboard) return;
  for (const code of document.querySelectorAll(".copied pre")) {
    const button = Object.assign(document.createElement("button"), {className: "btn small", type: "button", textContent: "Copy"});
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    code.after(button);
  }
}

function lookAgain() {
  const waits = document.querySelector("[data-look-again]");
  if (waits) setTimeout(() => location.reload(), 1000 * Number(waits.dataset.lookAgain));
}

tellLocalTimes();
countDown();
lookAgain();
document.querySelectorAll(".chart").forEach(readValues);
document.querySelectorAll(".drop").forEach(takeDrops);
offerCopies();
