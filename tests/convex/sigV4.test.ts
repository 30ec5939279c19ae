import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalRequest, parseAuthorization, signatureOf } from "../../convex/dialects/chime/sigV4";

/** AWS's own test suite for Signature Version 4. */
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SCOPE = "20150830/us-east-1/service/aws4_request";
const NO_BODY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const HEADERS: Record<string, string> = { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" };

function request(changes: { method?: string; path?: string; query?: string; headers?: object } = {}) {
  const { method = "GET", path = "/", query = "", headers = {} } = changes;
  const all: Record<string, string> = { ...HEADERS, ...headers };
  return { method, path, query, header: (name: string) => all[name] ?? "", payloadHash: NO_BODY };
}

describe("signatures are those of AWS's test suite", () => {
  const plain = ["host", "x-amz-date"];
  test.each([
    ["get-vanilla", request(), plain, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
      "post-vanilla",
      request({ method: "POST" }),
      plain,
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ],
    [
      "get-vanilla-query-order-key-case",
      request({ query: "Param2=value2&Param1=value1" }),
      plain,
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    [
      "get-relative",
      request({ path: "/example/.." }),
      plain,
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ],
    [
      "get-slashes",
      request({ path: "//example//" }),
      plain,
      "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ],
    [
      "get-header-value-trim",
      request({ headers: { "my-header1": " value1", "my-header2": ' "a   b   c"' } }),
      ["host", "my-header1", "my-header2", "x-amz-date"],
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ],
  ])("%s", async (_, given, signedHeaders, signature) => {
    expect(await signatureOf(given, { scope: SCOPE, signedHeaders }, SECRET)).toBe(signature);
  });
});

test("what is encoded in a path is encoded once more, in a query once", () => {
  const given = request({ path: "/chime/a%20b/*(x)", query: "b=%21%2A&a=x+y&a=%zz&c" });
  expect(canonicalRequest(given, ["host"]).split("\n").slice(1, 3)).toEqual([
    "/chime/a%2520b/%2A%28x%29",
    "a=%25zz&a=x%2By&b=%21%2A&c=",
  ]);
});

const SIGNATURE = "0123456789abcdef".repeat(4);
const good = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/chime/aws4_request, SignedHeaders=host;x-amz-date, Signature=${SIGNATURE}`;

test("an Authorization header is read in any order of its parts, with any space between them", () => {
  const authorization = {
    accessKeyId: "AKIDEXAMPLE",
    scope: "20261121/eu-central-1/chime/aws4_request",
    date: "20261121",
    signedHeaders: ["host", "x-amz-date"],
    signature: SIGNATURE,
  };
  expect(parseAuthorization(good)).toEqual(authorization);
  expect(parseAuthorization(good.replaceAll(", ", ","))).toEqual(authorization);
  const [algorithm = "", ...parts] = good.replace(" ", "\n").split(/\n|, /);
  expect(parseAuthorization(`${algorithm} ${parts.toReversed().join(" , ")}`)).toEqual(authorization);
});

test.each([
  ["another algorithm", good.replace("SHA256", "SHA1"), /algorithm/],
  ["nothing but the algorithm", "AWS4-HMAC-SHA256", /key=value/],
  ["no Credential", good.replace(/Credential=[^,]*, /, ""), /'Credential' parameter/],
  ["an empty SignedHeaders", good.replace("host;x-amz-date", ""), /'SignedHeaders' parameter/],
  ["two Signatures", `${good}, Signature=${SIGNATURE}`, /twice/],
  ["a scope of four parts", good.replace("/eu-central-1", ""), /5 slash-delimited/],
  ["another service", good.replace("/chime/", "/s3/"), /service: 'chime'/],
  ["another terminator", good.replace("aws4_request", "aws4_response"), /terminator/],
  ["no host among the signed headers", good.replace("host;", ""), /'Host' must be/],
  ["a header in upper case", good.replace("host;", "host;Date;"), /lower case/],
  ["half a signature", good.slice(0, -32), /64 hexadecimal digits/],
  ["5,000 characters", good.padEnd(5_000, "0"), /too long/],
])("an Authorization header with %s is refused in words", (_, header, problem) => {
  expect(parseAuthorization(header)).toEqual({ problem: expect.stringMatching(problem) });
});

/** Any text at all. The `binary` strings of fast-check take a second to prepare. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

test("no Authorization header makes the parser fail, and whatever it takes it takes whole", () => {
  const pieces = fc.constantFrom(
    "AWS4-HMAC-SHA256",
    " ",
    ",",
    "=",
    "/",
    ";",
    "Credential",
    "host",
    "%",
    "\u0000",
  );
  const broken = fc
    .tuple(
      fc.nat(good.length),
      fc.nat(20),
      fc.oneof(
        anyText,
        fc.array(pieces).map((all) => all.join("")),
      ),
    )
    .map(([at, length, text]) => good.slice(0, at) + text + good.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(broken, anyText, fc.string()), (header) => {
      const read = parseAuthorization(header);
      const parts = "problem" in read ? [] : [read.accessKeyId, read.scope, read.signature];
      expect(parts.filter((part) => !header.includes(part))).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
