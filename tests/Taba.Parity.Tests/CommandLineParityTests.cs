using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Taba.Diffusion.Conditions;
using Taba.Diffusion.Tensors;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Parity.Tests;

/// <summary>The reference's end-to-end runs, by the command with the same flags: the same files with the same numbers.</summary>
public sealed partial class CommandLineParityTests(ITestOutputHelper output) : IDisposable
{
    readonly TempFolder _folder = new();

    public static TheoryData<string, NetworkForm> Scripts => ReferenceSet.InBothForms(E2eCase.Discover(scripts: true));

    public static TheoryData<string, NetworkForm> Functions => ReferenceSet.InBothForms(E2eCase.Discover(scripts: false));

    public void Dispose() => _folder.Dispose();

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Scripts))]
    public async Task Run_FlagsOfAReferenceRun_ReferenceFiles(string name, NetworkForm form)
    {
        var reference = E2eCase.Read(name);
        var written = await RunAsync(reference, form);

        var stored = reference.Tensors;
        foreach (var (file, listed) in reference.OutputFiles.Where(file => file.Key.EndsWith(".pt", StringComparison.Ordinal)))
        {
            var tensorName = Path.GetFileNameWithoutExtension(file);
            Assert.True(File.Exists(Path.Combine(written, file)), $"{name}: {file} was not written.");
            var tensor = CommandLineTensor.Read(written, tensorName);
            Assert.Equal(listed.GetProperty("shape").EnumerateArray().Select(length => length.GetInt64()), tensor.Shape);
            Assert.Equal(listed.GetProperty("dtype").GetString(), tensor.TorchDtype);
            Compare(tensor, stored, tensorName, listed, $"{name}/{file}", reference.GuidanceBefore(tensorName));
        }
        foreach (var (file, _) in reference.OutputFiles.Where(file => file.Key == "prompts.pkl"))
            Assert.Equal(PromptFile.Read(reference.OwnFile(file)!), PromptFile.Read(Path.Combine(written, file)));
        if (reference.Metrics is { } metrics)
            E2eAgreement.SameMetrics(Metrics(written), metrics, name);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Functions))]
    public async Task SampleAndSwap_ReferenceFunctions_ReferenceTensors(string name, NetworkForm form)
    {
        var reference = E2eCase.Read(name);
        var stored = reference.Tensors;
        var steps = Number("T");
        var model = reference.WriteModel(_folder);
        string[] shared = ["--model", model, "--num_inference_steps", $"{steps}", "--batch_size", $"{Number("batch_size")}", "--seed",
            $"{Number("seed")}", "--network", Name(form)];
        var sampled = _folder.At("sampled");
        await InProcess.DoneAsync(
            ["sample", reference.Family, .. shared, "--n_samples", $"{Number("n")}", "--with_inversion", "--internal", "--save_dir",
            sampled]);

        var compared = 0;
        foreach (var tensorName in stored.Names)
        {
            if (StepOfTensor().Match(tensorName) is { Success: true } step)
            {
                var kept = CommandLineTensor.Read(sampled, step.Groups["tensor"].Value);
                Report(name, tensorName, E2eAgreement.Close(
                    kept.At(int.Parse(step.Groups["step"].Value, CultureInfo.InvariantCulture)), stored.Values<float>(tensorName),
                    $"{name} {tensorName}"));
            }
            else if (SwapResult().Match(tensorName) is { Success: true } swap)
                await SwapAsync(swap, tensorName);
            else
                Compare(CommandLineTensor.Read(sampled, tensorName), stored, tensorName, null, $"{name} {tensorName}");
            compared++;
        }
        Assert.True(compared > 0, $"{name} stores no tensor.");

        int Number(string field) => reference.Number(field);

        async Task SwapAsync(Match swap, string tensorName)
        {
            var (type, before) = (swap.Groups["type"].Value, swap.Groups["before"].Value);
            var folderOfSwap = _folder.At($"swap_{type}_{before}");
            await InProcess.DoneAsync([
                "swap", reference.Family, .. shared, "--input_image_path", Path.Combine(sampled, "samples.pt"), "--save_dir", folderOfSwap,
                "--swap_type", type, "--swap_before_t", before,
                "--swap_path", Path.Combine(sampled, type == "eps" ? "all_t_eps_samples.pt" : "all_t_samples.pt"),
            ]);
            Report(name, tensorName, E2eAgreement.Close(
                CommandLineTensor.Read(folderOfSwap, swap.Groups["tensor"].Value).Values, stored.Values<float>(tensorName),
                $"{name} {tensorName}"));
        }
    }

    static string Name(NetworkForm form) => form == NetworkForm.Plain ? "plain" : "fast";

    /// <summary>Runs a case by the command.</summary>
    /// <returns>The folder of its files.</returns>
    async Task<string> RunAsync(E2eCase reference, NetworkForm form)
    {
        var own = Path.GetFileName(reference.Name);
        var saveDir = _folder.At(own);
        // The reference's runs are in float32 throughout.
        var arguments = new List<string>
        {
            reference.Command!, reference.Family, "--model", reference.WriteModel(_folder), "--save_dir", saveDir,
            "--dtype", "float32", "--state_dtype", "float32", "--noise_dtype", "float32", "--network", Name(form),
        };
        foreach (var (flag, value) in reference.Flags.Where(flag => flag.Key is not ("model_name" or "save_dir")))
            arguments.AddRange(
                [$"--{flag}", flag.EndsWith("_path", StringComparison.Ordinal) ? await InputAsync(reference, flag, value, form) : value]);
        await InProcess.DoneAsync(arguments);

        var flags = reference.Flags.ToDictionary();
        return flags.TryGetValue("n_parts", out var parts) && parts != "1"
            ? $"{saveDir}_part_{flags.GetValueOrDefault("part_idx", "0")}"
            : saveDir;
    }

    /// <summary>
    /// A file that a case reads: a tensor of another case, stored or made by running that case, or a file of the fixtures.
    /// </summary>
    async Task<string> InputAsync(E2eCase reference, string flag, string path, NetworkForm form)
    {
        if (E2eCase.Referred(path) is var (other, file))
        {
            var tensor = Path.GetFileNameWithoutExtension(file);
            return other.OwnFile(
                file) ?? (other.Tensors.Has(tensor) ? Write(other.Tensors, tensor) : Path.Combine(await RunAsync(other, form), file));
        }
        var parts = reference.Name.Split('/');
        var found = Enumerable.Range(0, parts.Length + 1)
            .Select(depth => Path.Combine([ReferenceSet.Root, .. parts[..^depth], path]))
            .FirstOrDefault(File.Exists);
        return found ?? flag switch
        {
            // Inputs that a case does not bring along are what it stores of them.
            "input_noise_path" or "input_path" => Write(reference.Tensors, "noise"),
            "input_cond_path" => Write(reference.Tensors, "conds"),
            "input_image_path" or "input_samples_path" => Write(reference.Tensors, "samples"),
            _ => throw new FileNotFoundException($"{reference.Name}: --{flag} {path} is nowhere below {ReferenceSet.Root}."),
        };
    }

    string Write(ReferenceTensors tensors, string name)
    {
        var path = _folder.At($"input_{name}_{Guid.NewGuid():n}.pt");
        using var writer = TensorFileWriter.Create(path, TensorFormat.Pt, name, tensors.Dtype(name), tensors.Shape(name));
        writer.Write(tensors.Bytes(name));
        writer.Complete();
        return path;
    }

    void Compare(CommandLineTensor tensor, ReferenceTensors stored, string name, JsonElement? listed, string what, double guidance = 1)
    {
        if (!stored.Has(name))
            E2eAgreement.SameSummary(tensor.Values, listed!.Value, what);
        else if (name == "noise" || tensor.Dtype == TorchSharp.torch.ScalarType.Int64)
            TensorAssert.SameBytes(tensor.Bytes, stored.Bytes(name), what);
        else
            Report(what, name, E2eAgreement.Close(tensor.Values, stored.Values<float>(name), what, guidance));
    }

    void Report(string what, string tensor, double largest) =>
        output.WriteLine($"{what} {tensor}: largest difference {largest:g3} of max(1, std)");

    static JsonElement Metrics(string written)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(written, "metrics.json")));
        return document.RootElement.Clone();
    }

    [GeneratedRegex(@"^(?<tensor>all_t_\w+)\[(?<step>-?\d+)\]$")]
    private static partial Regex StepOfTensor();

    [GeneratedRegex(@"^swap_(?<type>eps|xt)_before(?<before>\d+)\.(?<tensor>\w+)$")]
    private static partial Regex SwapResult();
}
