
/* Reads the files beside this one. Browsers fetch them from a server; node reads them. */
export async function load(options = {}) {
    const relaxed = options.relaxed ?? fusesWhenRelaxed();
    const read = async (ending) => {
        const url = new URL(`./${facts.name}${ending}`, import.meta.url);
        if (url.protocol === "file:" && globalThis.process) return new Uint8Array(await (await import("node:fs/promises")).readFile(url));
        const answer = await fetch(url);
        if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
        return new Uint8Array(await answer.arrayBuffer());
    };
    const [module, weights] = await Promise.all([read(relaxed ? ".relaxed.wasm" : ".exact.wasm"), read(".weights")]);
    return open({ [relaxed ? "relaxed" : "exact"]: module, weights }, { relaxed });
}
