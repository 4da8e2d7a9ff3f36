// Copying. Pages without scripts have no such buttons.
document.documentElement.classList.add("script");
document.addEventListener("click", async (e) => {
  const button = e.target.closest(".copy");
  if (!button || !navigator.clipboard) return;
  let text = button.dataset.copy;
  if (button.dataset.link) text = location.href.split(/[?#]/)[0] + "?span=" + button.dataset.link + "#span-" + button.dataset.link;
  else if (text === undefined) text = button.parentElement.querySelector(".v, pre").textContent;
  await navigator.clipboard.writeText(text);
  const was = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = was; }, 1500);
});
