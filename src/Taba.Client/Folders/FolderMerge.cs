using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Diffusion.Conditions;
using Taba.Grains;
using Taba.Silo.Outputs;

namespace Taba.Client.Folders;

/// <summary>Concatenates the parts of a run that n_parts cut: on the sample axis, which is the second of all_t_* tensors.</summary>
static class FolderMerge
{
    /// <returns>The names of the tensors.</returns>
    /// <exception cref="BadInputException">The folders are not all the parts of one run; nothing was written.</exception>
    public static IReadOnlyList<string> Merge(IReadOnlyList<string> folders, string target, CancellationToken cancellationToken)
    {
        var parts = MergeOrder.Of([.. folders.Select(MergePart.Read)]);
        if (folders.Any(f => Path.GetFullPath(f) == Path.GetFullPath(target)))
            throw new BadInputException($"--save_dir {target} is one of the parts: choose another folder.");
        RefuseOther(parts[0], target);
        var tensors = parts[0].Files.Keys.Order(StringComparer.Ordinal).ToList();
        var plans = tensors.Select(name => MergedTensor.Plan(name, parts)).ToList();

        Directory.CreateDirectory(target);
        File.Delete(Path.Combine(target, RunFolder.ManifestName));
        foreach (var plan in plans)
            plan.Write(target, cancellationToken);
        WritePrompts(parts, target);
        WriteMetrics(parts, target, cancellationToken);
        WriteManifest(parts, plans, target);
        return tensors;
    }

    static void RefuseOther(MergePart part, string target)
    {
        if (!Directory.Exists(target) || RunFolder.Read(target) is not { } existing || part.Manifest is not { } manifest)
            return;
        if (!existing.Stages.Select(s => s.Key).SequenceEqual(manifest.Stages.Select(s => s.Key)))
            throw new BadInputException(
                $"{target} holds another run ({existing.Run}): choose another --save_dir, or move that folder away.");
    }

    static void WriteMetrics(IReadOnlyList<MergePart> parts, string target, CancellationToken cancellationToken)
    {
        if (parts[0].Parameters?.DeepClone().AsObject() is not { } parameters)
            return;
        foreach (var (key, value) in new (string, JsonNode)[] { ("n_parts", 1), ("part_idx", 0), ("output_dir", target) })
        {
            if (parameters.ContainsKey(key))
                parameters[key] = value;
        }
        var numbers = FolderMetrics.Compute(target, ImagesOf(parts[0]), cancellationToken);
        var json = new JsonObject { ["_params"] = parameters, ["metrics"] = numbers.Metrics, ["intervals"] = numbers.Intervals };
        File.WriteAllBytes(Path.Combine(target, RunFolder.MetricsName), [.. PythonJson.Write(json), (byte)'\n']);
    }

    /// <summary>As the manifest has it; in upstream's folders, what its scripts compare: decoded images where there are both.</summary>
    static ImmutableArray<string> ImagesOf(MergePart part)
    {
        if (part.Manifest is { } manifest)
            return manifest.Images;
        ImmutableArray<string>[] pairs = [["decoded_samples", "decoded_samples2"], ["samples_decoded", "samples2_decoded"]];
        return pairs.FirstOrDefault(pair => pair.All(part.Files.ContainsKey), ["samples", "samples2"]);
    }

    static void WritePrompts(IReadOnlyList<MergePart> parts, string target)
    {
        Merge("prompts.json", PromptFile.WriteJson);
        Merge("prompts.pkl", PromptFile.WritePickle);

        void Merge(string name, Action<Stream, IEnumerable<string>> write)
        {
            var files = parts.Select(part => Path.Combine(part.Folder, name)).ToList();
            if (!files.All(File.Exists))
                return;
            using var stream = File.Create(Path.Combine(target, name));
            write(stream, files.SelectMany(PromptFile.Read));
        }
    }

    static void WriteManifest(IReadOnlyList<MergePart> parts, List<MergedTensor> tensors, string target)
    {
        if (parts.Any(p => p.Manifest is null))
            return;
        var manifests = parts.Select(p => p.Manifest!).ToList();
        var merged = manifests[0] with
        {
            RowEnd = manifests[^1].RowEnd,
            Stages =
            [
                .. manifests[0].Stages.Select((stage, i) => stage with
                {
                    Evaluations = manifests.Sum(m => m.Stages[i].Evaluations),
                    Seconds = RunStage.SecondsOf(manifests.Select(m => m.Stages[i])),
                    Parts = [.. manifests.SelectMany(m => m.Stages[i].Parts)],
                }),
            ],
            Tensors =
            [
                .. manifests[0].Tensors.Select(t => tensors.First(m => m.Name == t.Name) is var m
                    ? t with { File = m.FileName, Shape = [.. m.Shape], Bytes = new FileInfo(Path.Combine(target, m.FileName)).Length }
                    : t),
            ],
            Failures = [.. manifests.SelectMany(m => m.Failures)],
            Failed = [.. manifests.SelectMany(m => m.Failed)],
            Retried = [.. manifests.SelectMany(m => m.Retried)],
            Substitutes = [.. manifests.SelectMany(m => m.Substitutes)],
            WallSeconds = RunStage.SecondsOf(manifests.SelectMany(m => m.Stages)),
        };
        File.WriteAllText(Path.Combine(target, RunFolder.ManifestName), JsonSerializer.Serialize(merged, RunJson.Options) + "\n");
    }
}
