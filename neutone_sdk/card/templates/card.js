"use strict";

// One sample sounds at a time, a line shows where it is, and a click on a picture goes there.
const figures = [...document.querySelectorAll("figure")].filter((figure) => figure.querySelector("audio"));
for (const figure of figures) {
  const audio = figure.querySelector("audio");
  const span = Number(figure.dataset.span);
  const heads = figure.querySelectorAll(".playhead");
  const draw = () => {
    const at = `${Math.min(100, (100 * audio.currentTime) / span)}%`;
    for (const head of heads) {
      head.setAttribute("x1", at);
      head.setAttribute("x2", at);
    }
    figure.classList.toggle("heard", audio.currentTime > 0);
    if (!audio.paused) requestAnimationFrame(draw);
  };
  audio.addEventListener("play", () => {
    for (const other of figures) if (other !== figure) other.querySelector("audio").pause();
    draw();
  });
  audio.addEventListener("seeked", draw);
  for (const area of figure.querySelectorAll(".area")) {
    area.addEventListener("click", (event) => {
      const box = area.getBoundingClientRect();
      audio.currentTime = (span * (event.clientX - box.left)) / box.width;
    });
  }
}

const button = document.getElementById("copy");
if (button) {
  const citation = document.getElementById("citation");
  const copied = document.getElementById("copied");
  button.hidden = false;
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(citation);
    try {
      await navigator.clipboard.writeText(citation.textContent);
      copied.textContent = "Copied";
    } catch {
      copied.textContent = document.execCommand("copy") ? "Copied" : "Selected: copy it with your keyboard";
    }
  });
}
