// A suite that does everything right: one address a test, searched by it, deleted by that search.
import assert from "node:assert/strict";
import { test } from "node:test";
import { address, mailpit, send } from "./suite.mjs";

export function cleanTests(worker) {
  for (let number = 0; number < 6; number++) {
    test(`a mail arrives and is taken away, ${worker} ${number}`, async () => {
      const to = address(worker);
      await send(to, { tags: to.split("@")[0] });
      const found = await mailpit.searchMessages({ query: `to:"${to}"` });
      assert.equal(found.messages.length, 1);
      const mail = await mailpit.getMessageSummary(found.messages[0].ID);
      assert.equal(mail.Subject, "hello");
      await mailpit.deleteMessagesBySearch({ query: `to:"${to}"` });
    });
  }
}
