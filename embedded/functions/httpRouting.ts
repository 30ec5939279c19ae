import type { HttpHandler } from "./actionRealm";
import type { LoadedComponent } from "./loadedApp";

/** The HTTP action that a request goes to. `route`: as it is declared. */
export type Route = {
  readonly component: LoadedComponent;
  readonly handler: HttpHandler;
  readonly route: string;
};

/**
 * Finds the HTTP action for a path: an exact route of the app's own, else whichever covers most of the path, a route of the
 * app's own for a prefix or a component that is mounted there, in which it goes on with the rest of the path. `null` when no
 * route matches; `undefined` when there are neither routes nor mounts. `prefix`: what the app's own routes are under.
 */
export function routeRequest(
  component: LoadedComponent,
  prefix: string | null,
  method: string,
  path: string,
): Route | null | undefined {
  const router = component.actions.router();
  if (router === null && component.httpMounts.size === 0) return undefined;
  const own = prefix === null ? path : path.startsWith(prefix) ? `/${path.slice(prefix.length)}` : null;
  const found = own === null ? null : (router?.lookup(own, method) ?? null);
  if (found && !found[2].endsWith("*")) return routeOf(component, found);
  const ownLength = found ? path.length - (own ?? "").length + found[2].length - "*".length : -1;
  let mount = "";
  for (const mounted of component.httpMounts.keys()) {
    if (path.startsWith(mounted) && mounted.length > mount.length) mount = mounted;
  }
  const child = component.httpMounts.get(mount);
  if (child && mount.length >= ownLength) {
    return routeRequest(child, null, method, `/${path.slice(mount.length)}`) ?? null;
  }
  return found && routeOf(component, found);
}

function routeOf(component: LoadedComponent, [handler, , route]: [HttpHandler, string, string]): Route {
  return { component, handler, route };
}
