// @ts-check
import { SourceMap } from "node:module";
import path from "node:path";

/**
 * Names, in a text with stack traces, the places in the sources instead of those in a script that was made of them.
 *
 * @param {string} text
 * @param {string} scriptFile the script's name; the sources are relative to its folder
 * @param {string} sourceMap of the script, as JSON
 */
export function sourcePlaces(text, scriptFile, sourceMap) {
  const map = new SourceMap(JSON.parse(sourceMap));
  const [before, ...rest] = text.split(`${scriptFile}:`);
  const mapped = rest.map((after) => {
    const [place, line, column] = /^(\d+):(\d+)/.exec(after) ?? [];
    const found = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (place === undefined || !("originalSource" in found)) return `${scriptFile}:${after}`;
    const source = path.join(path.dirname(scriptFile), found.originalSource);
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}${after.slice(place.length)}`;
  });
  return [before, ...mapped].join("");
}
