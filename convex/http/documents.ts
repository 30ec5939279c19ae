/** The OpenAPI documents by their paths: that of this API, and those of other systems' wires. */
import chalk from "../../openapi/chalk.json";
import chime from "../../openapi/chime.json";
import huawei from "../../openapi/huawei.json";
import livekit from "../../openapi/livekit.json";
import openapi from "../../openapi/openapi.json";
import volcengine from "../../openapi/volcengine.json";

export const documents: Readonly<Record<string, object>> = {
  "/openapi.json": openapi,
  "/openapi/chime.json": chime,
  "/openapi/huawei.json": huawei,
  "/openapi/volcengine.json": volcengine,
  "/openapi/chalk.json": chalk,
  "/openapi/livekit.json": livekit,
};
