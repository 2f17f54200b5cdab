"use strict";
// The fraction that is shown is part of the address, and goes along to the pages of other metrics.
{
  const radios = Array.from(document.querySelectorAll("input[name=fraction]"));
  const links = document.querySelectorAll(".metrics a");

  function tell() {
    const chosen = radios.find((radio) => radio.checked);
    if (!chosen) return;
    const hash = `#at=${encodeURIComponent(chosen.value)}`;
    history.replaceState(null, "", hash);
    for (const link of links) link.hash = hash;
  }

  function read() {
    const wanted = decodeURIComponent(location.hash.replace(/^#at=/, ""));
    const found = radios.find((radio) => radio.value === wanted);
    if (found) found.checked = true;
    if (found || radios.some((radio) => radio.checked && !radio.defaultChecked)) tell();
  }

  for (const radio of radios) radio.addEventListener("change", tell);
  addEventListener("hashchange", read);
  addEventListener("pageshow", read);
}
