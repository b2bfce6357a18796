/** Questions to the server. Each names its scene: the experiment, the objective, what the data are made from. */

/** Values of a lattice or a density as they are sent. */
export const floats = (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
};

async function ask(path, body, signal) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
  if (answer.ok) return answer;
  let text = answer.statusText;
  try { text = (await answer.json()).error; } catch { /* not from this server */ }
  throw new Error(text);
}

const json = async (path, body, signal) => (await ask(path, body, signal)).json();

/** What is to be known of a scene before anything is drawn. */
export const describe = (scene) => json("api/experiment", scene);
/** Experiments, and objectives for the scene's. */
export const choices = (scene) => json("api/choices", scene);
export const data = async (scene) => floats((await json("api/data", scene)).values);
export const density = async (scene, theta) => floats((await json("api/density", { scene, theta })).values);
/** The landscape; a coarse one comes at once. */
export async function landscape(scene, coarse, signal) {
  const map = await json("api/map", { scene, coarse }, signal);
  return { ...map, z: floats(map.z) };
}

/** Descends and tells of each event; `heard` may say that nobody listens any more. */
export async function descend(scene, order, signal, heard) {
  const answer = await ask("api/descend", { scene, ...order }, signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const texts = (rest + value).split("\n");
    rest = texts.pop();
    if (heard(texts.map((text) => JSON.parse(text))) === false) return;
  }
}

/** What to say of an error. */
export const inWords = (error) => (error instanceof TypeError ? "wngd play does not answer; is it still running?" : error.message);
