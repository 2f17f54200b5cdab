"use strict";
// The viewer of a case: image with reference and prediction, drawn by NiiVue from base64 volumes.
// Without it, or without WebGL 2, the page has its still picture.
{
  const form = document.getElementById("view");
  const overlays = ["reference", "prediction"];
  const doubts = Array.from(document.querySelectorAll("script.doubt"), (_, place) => `doubt-${place}`);

  function colours(name, chosen) {
    const data = document.getElementById(`data-${name}`).dataset;
    const classes = Number(data.classes);
    const [red, green, blue] = data.colour.split(",").map(Number);
    const indices = Array.from({ length: classes + 1 }, (_, index) => index);
    const seen = (index) => index > 0 && (chosen === 0 || chosen === index);
    return {
      R: indices.map(() => red),
      G: indices.map(() => green),
      B: indices.map(() => blue),
      A: indices.map((index) => (seen(index) ? 255 : 0)),
      I: indices,
      labels: indices.map(String),
    };
  }

  async function volume(name, colormap) {
    const base64 = document.getElementById(`data-${name}`).textContent;
    return niivue.NVImage.loadFromBase64({ base64, name: `${name}.nii.gz`, colormap });
  }

  async function show() {
    const canvas = document.getElementById("canvas");
    if (!document.createElement("canvas").getContext("webgl2")) {
      throw new Error("this browser has no WebGL 2");
    }
    for (const id of ["viewer", "viewer-help", "view"]) document.getElementById(id).hidden = false;
    const viewer = new niivue.Niivue({
      backColor: [0, 0, 0, 1],
      crosshairColor: [0.55, 0.75, 0.95, 0.7],
      crosshairWidth: 0.25,
      isRadiologicalConvention: true,
      isNearestInterpolation: true,
      show3Dcrosshair: false,
      dragAndDropEnabled: false,
      multiplanarShowRender: 0,
      logLevel: "error",
    });
    await viewer.attachToCanvas(canvas);
    const image = await volume("image", "gray");
    image.cal_min = 0;
    image.cal_max = 255;
    viewer.addVolume(image);
    for (const name of overlays) viewer.addVolume(await volume(name, "gray"));
    for (const name of doubts) {
      const map = await volume(name, "inferno");
      map.cal_min = 1;
      map.cal_max = 255;
      viewer.addVolume(map);
    }
    const paint = () => {
      const chosen = Number(form.elements.class.value);
      overlays.forEach((name, place) => {
        const layer = viewer.volumes[place + 1];
        layer.setColormapLabel(colours(name, chosen));
        layer.opacity = form.elements[name].checked ? Number(form.elements.opacity.value) : 0;
      });
      const doubted = form.elements.doubt ? form.elements.doubt.value : "";
      doubts.forEach((_, place) => {
        const layer = viewer.volumes[1 + overlays.length + place];
        layer.opacity = doubted === String(place) ? Number(form.elements.opacity.value) : 0;
      });
      viewer.setSliceType(Number(form.elements.planes.value));
      viewer.updateGLVolume();
    };
    form.addEventListener("input", paint);
    form.addEventListener("submit", (event) => event.preventDefault());
    paint();
    document.documentElement.dataset.viewer = "drawn";
  }

  show().catch((error) => {
    document.getElementById("viewer").hidden = true;
    document.getElementById("viewer-problem").textContent =
      `The volume can't be shown: ${error.message}. The picture below is one slice of it.`;
  });
}
