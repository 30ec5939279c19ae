/** A bundle as the parts of a file, of which those are read that are needed. */
import type { KeptBuild } from "./buildFile.js";
import type { Bundle, DefinitionBundle } from "./bundle";

/** What is learned of an app by loading it. */
export type Learned = {
  readonly declarations: string;
  /** Whether V8 can't use what is kept of it. */
  readonly isV8CodeRejected: boolean;
  /** What V8 has compiled of a definition's scripts. */
  v8CodeOf(definition: DefinitionBundle): Readonly<Record<string, Uint8Array>>;
};

type DefinitionOutline = Pick<
  DefinitionBundle,
  "definitionPath" | "functionModules" | "hasSchema" | "hasConfig"
>;
type Outline = Pick<Bundle, "nodeModules" | "hasAuthConfig"> & {
  readonly hasNode: boolean;
  /** The app's own first. */
  readonly definitions: readonly DefinitionOutline[];
};

const OUTLINE = "outline";
const DECLARATIONS = "declarations";
const ORIGIN = "origin";
/** Whose code it is: the number of a definition, or this. */
const NODE = "node";
const NO_SOURCE_MAP = '{"version":3,"sources":[],"names":[],"mappings":""}';

const codePart = (owner: number | string) => `code ${owner}`;
const sourceMapPart = (owner: number | string) => `source map ${owner}`;
const v8CodePart = (owner: number, script: string) => `V8 code ${owner} ${script}`;

/** The parts as which a bundle is kept, with what it was made from that is no file, and what was learned of it if anything was. */
export function partsOf(
  bundle: Bundle,
  origin: string,
  learned: Learned | null,
): Map<string, string | Uint8Array> {
  const parts = new Map<string, string | Uint8Array>([[ORIGIN, origin]]);
  const definitions: DefinitionOutline[] = [];
  for (const [owner, definition] of [bundle, ...bundle.components].entries()) {
    const { definitionPath, functionModules, hasSchema, hasConfig } = definition;
    definitions.push({ definitionPath, functionModules, hasSchema, hasConfig });
    parts.set(codePart(owner), definition.code).set(sourceMapPart(owner), definition.sourceMap);
    for (const [script, code] of Object.entries(learned?.v8CodeOf(definition) ?? {})) {
      parts.set(v8CodePart(owner, script), code);
    }
  }
  const { node, nodeModules, hasAuthConfig } = bundle;
  if (node) parts.set(codePart(NODE), node.code).set(sourceMapPart(NODE), node.sourceMap);
  if (learned) parts.set(DECLARATIONS, learned.declarations);
  const outline: Outline = { definitions, nodeModules, hasAuthConfig, hasNode: node !== null };
  return parts.set(OUTLINE, JSON.stringify(outline));
}

/** What the bundle was made from that is no file. */
export function readOrigin(kept: KeptBuild): string | null {
  return kept.readText(ORIGIN);
}

/** The bundle of which {@link partsOf} has made parts; null when one is damaged without which it can't run. */
export function readBundle(kept: KeptBuild): Bundle | null {
  const text = kept.readText(OUTLINE);
  if (text === null) return null;
  const { definitions, nodeModules, hasAuthConfig, hasNode } = JSON.parse(text) as Outline;
  const [app, ...components] = definitions.map((outline, owner) => readDefinition(kept, outline, owner));
  const node = hasNode ? readCode(kept, NODE) : null;
  if (!app || components.includes(null) || (hasNode && node === null)) return null;
  const declarations = kept.readText(DECLARATIONS);
  return Object.assign(app, {
    nodeModules,
    hasAuthConfig,
    node,
    components: components.filter((component) => component !== null),
    ...(declarations === null ? {} : { declarations }),
  });
}

function readDefinition(kept: KeptBuild, outline: DefinitionOutline, owner: number): DefinitionBundle | null {
  const code = readCode(kept, owner);
  return (
    code && Object.assign(code, outline, { v8Code: (script: string) => kept.read(v8CodePart(owner, script)) })
  );
}

/** The source map is read when the first error needs it. */
function readCode(kept: KeptBuild, owner: number | string) {
  const readText = kept.textReader(codePart(owner));
  if (readText === null) return null;
  return {
    get code() {
      const code = readText();
      if (code === null) throw new Error("The bundle that was kept of the app can't be read any more");
      return code;
    },
    get sourceMap() {
      return kept.readText(sourceMapPart(owner)) ?? NO_SOURCE_MAP;
    },
  };
}
