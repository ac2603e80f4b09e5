// Checks the objects of a YAML text on standard input against the schemas of their kinds. Says what is wrong, a line each, and ends
// with 1; or says how many objects there were.
import { readFileSync } from "node:fs";
import * as yaml from "js-yaml";

const packages = {
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
  "keda.sh": "@kubernetes-models/keda",
};

async function modelOf({ apiVersion, kind }) {
  const source = packages[apiVersion?.split("/")[0]] ?? "kubernetes-models";
  try {
    return (await import(`${source}/${apiVersion}`))[kind];
  } catch {
    return undefined;
  }
}

const objects = yaml.loadAll(readFileSync(0, "utf8")).filter(object => object != null);
const problems = [];
for (const object of objects) {
  const name = `${object.kind} ${object.metadata?.name}`;
  const Model = await modelOf(object);
  if (!Model) {
    problems.push(`${name}: no schema for ${object.apiVersion}`);
    continue;
  }
  try {
    new Model(object).validate();
  } catch (error) {
    problems.push(`${name}: ${error.message}`);
  }
}
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(objects.length);
