import { ROOT, type Namespace } from "../transaction/catalog";
import { describeThrown, failureText, type FrameMapper } from "./failure";

/** The app can't be loaded. The message says which module and why, for the developer's eyes. */
export class AppLoadError extends Error {
  override readonly name = "AppLoadError";
}

/** Does a part of loading a module of a component. Throws {@link AppLoadError}. */
export function loading<T>(component: Namespace, module: string, mapFrames: FrameMapper, load: () => T): T {
  try {
    return load();
  } catch (thrown) {
    if (thrown instanceof AppLoadError) throw thrown;
    const text = failureText(describeThrown(thrown, mapFrames)).trimEnd();
    const where = component === ROOT ? module : `${module} of component ${component}`;
    throw new AppLoadError(`Failed to load ${where}: ${text}`, { cause: thrown });
  }
}
