import { randomBytes } from "node:crypto";
import { ROOT } from "../transaction/catalog";
import type { Database } from "../transaction/database";
import type { ActionHost } from "./actionRealm";
import { placeOf, type FunctionAddress } from "./addresses";
import { FunctionHandles } from "./functionHandles";
import { HostComponent, type HostCode } from "./hostComponent";
import type { ComponentPath, LoadedApp, LoadedComponent } from "./loadedApp";

/** An app whose modules are evaluated in the process's own realm by somebody else, such as a test runner. */
export class HostApp implements LoadedApp {
  readonly root: HostComponent;
  readonly components = new Map<ComponentPath, HostComponent>();
  readonly httpPrefix = null;
  readonly #handleSecret = randomBytes(32);

  constructor(
    code: HostCode,
    private readonly database: Database,
    readonly actionHost: ActionHost,
  ) {
    this.root = this.addComponent(ROOT, code);
  }

  /** Modules may have been loaded since the last time. */
  get handles(): FunctionHandles {
    return new FunctionHandles(this.components, this.#handleSecret);
  }

  /** Adds a component. `path`: such as "a/b"; "a" may come later. */
  addComponent(path: ComponentPath, code: HostCode): HostComponent {
    const component = new HostComponent(this, path, code, this.database);
    this.components.set(path, component);
    return component;
  }

  /**
   * Loads the module of the function that `from` means, if there is one. That of a handle was loaded when the handle was made.
   * Throws what the module throws.
   */
  async loadFor(from: LoadedComponent, address: FunctionAddress): Promise<void> {
    const place = placeOf(from, address);
    if (place) await this.components.get(place.component.path)?.load(place.path);
  }
}
