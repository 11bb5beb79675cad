// Runs axe-core, which was put into the page before, with all its rules or only with those that are named. Gives a line
// for each violation and each of its places.
const [rules, done] = arguments;
const only = rules ? { runOnly: { type: 'rule', values: rules } } : {};
axe.run(document, { resultTypes: ['violations'], ...only }).then(
  (found) =>
    done(
      found.violations.flatMap((rule) =>
        rule.nodes.map((node) => `${rule.id} (${rule.impact}): ${node.target.join(' ')}: ${node.failureSummary}`),
      ),
    ),
  (error) => done([`axe-core failed: ${error}`]),
);
