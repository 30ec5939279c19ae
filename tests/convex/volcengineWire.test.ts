import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson, toJson } from "../../convex/dialects/volcengine/json";
import { parseSignature, signaturesOf, type Signature } from "../../convex/dialects/volcengine/signature";

const SECRET = "secret-of-the-vectors";
const NO_BODY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SCOPE = "AKLTexample/20261121/cn-north-1/rtc/request";

function requestOf(
  query: string,
  headers: Record<string, string> = {},
  { method = "POST", path = "/", bodyHash = NO_BODY } = {},
) {
  const byName = new Headers(headers);
  return {
    method,
    path,
    query: [...new URLSearchParams(query)],
    header: (name: string) => byName.get(name),
    bodyHash,
  };
}

const authorization = (signedHeaders: string, signature: string) =>
  `HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=${signedHeaders}, Signature=${signature}`;

const BODY_HASH = "af32256e6c31f09bc7241faff90f4ae60f2f81674ae6e3ebddd7a6cc9f74c1c3";
const TIME = "20261121T015648Z";

describe("signatures are those of the vendor's SDK", () => {
  test.each([
    [
      "in a header, with a query that has to be escaped",
      requestOf(
        "Version=2020-12-01&Action=BatchAddConversationParticipant&Note=%C3%BC%20(x)*'!~",
        {
          "X-Date": TIME,
          "X-Content-Sha256": BODY_HASH,
          Authorization: authorization(
            "x-content-sha256;x-date",
            "2b860b010ff829dcf36346810111c36f043866b48d9ea29a2900da0e3e88c207",
          ),
        },
        { bodyHash: BODY_HASH },
      ),
    ],
    [
      "of a request without a body",
      requestOf(
        "Action=X&Version=2020-12-01",
        {
          "X-Date": TIME,
          Authorization: authorization(
            "x-date",
            "8b6858df7ce0ee5d49f0d8c23040a2b77a56fb3237caa4a19e106afd0a8d6b54",
          ),
        },
        { method: "GET" },
      ),
    ],
    [
      "in the query",
      requestOf(
        "Action=X&Version=2020-12-01&X-Algorithm=HMAC-SHA256&X-Credential=AKLTexample%2F20261121%2Fcn-north-1%2Frtc%2Frequest&X-Date=20261121T015648Z&X-NotSignBody=&X-SignedHeaders=&X-SignedQueries=Action%3BVersion%3BX-Algorithm%3BX-Credential%3BX-Date%3BX-NotSignBody%3BX-SignedHeaders&X-Signature=5e9954f789650bf8cb66e1a8cb19764d2cbe3421abd5dbbf89d9fcb757449a8b",
        {},
        { bodyHash: BODY_HASH },
      ),
    ],
  ])("%s", async (_, request) => {
    const signature = parseSignature(request) as Signature;
    expect(await signaturesOf(request, signature, SECRET)).toEqual([signature.signature]);
    expect(await signaturesOf(request, signature, "another")).not.toContain(signature.signature);
    const elsewhere = { ...request, path: "/volc/" };
    expect(await signaturesOf(elsewhere, signature, SECRET)).toContain(signature.signature);
    const changed = { ...request, query: [...request.query, ["more", "1"] as [string, string]] };
    expect(await signaturesOf(changed, signature, SECRET)).not.toContain(signature.signature);
  });
});

test("whatever a request says of its signature, it is taken or refused", () => {
  const text = fc.string({ maxLength: 20 });
  const piece = fc.constantFrom(
    "HMAC-SHA256 ",
    "Credential=",
    "a/20261121/r/rtc/request",
    ", ",
    "SignedHeaders=",
    "Signature=",
    "x",
  );
  const header = fc.oneof(
    text,
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
  );
  fc.assert(
    fc.property(
      header,
      fc.option(text),
      fc.array(fc.tuple(text, text), { maxLength: 3 }),
      (given, time, query) => {
        const parsed = parseSignature({
          query,
          header: (name) => (name === "Authorization" ? given : time),
        });
        expect("problem" in parsed || parsed.signature.length > 0).toBe(true);
      },
    ),
  );
});

test("whole numbers of any length come and go as they are; all other JSON is as ever", () => {
  expect(parseJson('{"a":7000000000000000001,"b":[000001,-0012],"c":"1234567890123456789"}')).toEqual({
    a: "7000000000000000001",
    b: ["000001", "-0012"],
    c: "1234567890123456789",
  });
  expect(parseJson("[1234567890123456.5,1e1000000000000000,0.0000000000000001]")).toEqual([
    1234567890123456.5,
    Infinity,
    1e-16,
  ]);
  expect(toJson({ id: 7000000000000000001n, none: undefined, list: [1n, "1"] })).toBe(
    '{"id":7000000000000000001,"list":[1,"1"]}',
  );
  for (const bad of ['{"a"', '"\\', '"a\n"', "", "01x"]) expect(() => parseJson(bad)).toThrow(SyntaxError);
  const isShort = (value: unknown) =>
    !/\d{16}/.test(JSON.stringify(value).replaceAll(/"(?:[^"\\]|\\.)*"/g, ""));
  fc.assert(
    fc.property(fc.jsonValue().filter(isShort), (value) => {
      expect(parseJson(toJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
