using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>Where the time of a pass in the fast form goes, and how many operations it has: the mean of some passes.</summary>
/// <param name="Batch">Samples of the pass.</param>
/// <param name="Milliseconds">Of the whole pass.</param>
/// <param name="Parts">By kind of operation. What oneDNN does not compute is one part.</param>
/// <remarks>
/// oneDNN writes a line for each thing it computes when <see cref="Verbose"/> is set as it is loaded; so the passes run in a process of
/// their own. Writing lines is part of what is not oneDNN's. The products of attention are computed side by side by all threads: their
/// time is divided by those. They are no lines, and their operations not counted, where libtorch's attention computes.
/// </remarks>
sealed partial record ProfiledPass(int Batch, double Milliseconds, IReadOnlyList<ProfiledPart> Parts)
{
    const string Verbose = "ONEDNN_VERBOSE";
    const string Begin = "passes begin", End = "passes took";
    const int WarmUp = 2, Passes = 3;

    /// <summary>Floating-point operations of one sample's evaluation.</summary>
    public double Operations => Parts.Sum(p => p.Operations) / Batch;

    /// <summary>Starts the process.</summary>
    /// <param name="model">As the command takes it.</param>
    /// <param name="weights">The folder of drawn weights.</param>
    /// <param name="batch">Samples of a pass.</param>
    public static async Task<ProfiledPass> RunAsync(string model, string weights, int batch, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList = { "networks", "--model", model, "--batch", $"{batch}", "--profile", weights },
            RedirectStandardOutput = true,
            Environment = { [Verbose] = "profile_exec" },
        };
        using var process = Process.Start(start)!;
        var lines = (await process.StandardOutput.ReadToEndAsync(cancellationToken)).Split('\n');
        await process.WaitForExitAsync(cancellationToken);
        var (begin, end) = (Array.IndexOf(lines, Begin), Array.FindIndex(lines, l => l.StartsWith(End, StringComparison.Ordinal)));
        if (process.ExitCode != 0 || begin < 0 || end < begin)
            throw new InvalidOperationException($"The process that tells operations apart ended with status {process.ExitCode}.");
        var fields = lines[end][End.Length..].Split(',');
        return Of(
            batch, double.Parse(fields[0], CultureInfo.InvariantCulture) / Passes, int.Parse(fields[1], CultureInfo.InvariantCulture),
            lines[(begin + 1)..end]);
    }

    /// <summary>What that process does.</summary>
    public static int Write(string model, string folder, int batch)
    {
        var network = PublishedNetwork.Of(model);
        using var weights = DiffusersWeights.Open(folder);
        using var loaded = network.Load(weights, ScalarType.Float32, NetworkForm.Fast);
        using var scope = NewDisposeScope();
        var inputs = network.Inputs(batch);
        var pass = Contender.InScope(() => network.Forward(loaded, inputs));
        for (var i = 0; i < WarmUp; i++)
            pass();
        Console.WriteLine(Begin);
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < Passes; i++)
            pass();
        Console.WriteLine($"{End} {Stopwatch.GetElapsedTime(began).TotalMilliseconds},{get_num_threads()}");
        return 0;
    }

    static ProfiledPass Of(int batch, double milliseconds, int threads, string[] lines)
    {
        var parts = lines.Select(line => Line.Parse(line, threads)).OfType<Line>().GroupBy(line => line.Operation)
            .Select(g => new ProfiledPart(
                g.Key, g.Count() / Passes, g.Sum(l => l.Milliseconds) / Passes, g.Sum(l => l.Operations) / Passes))
            .OrderByDescending(p => p.Milliseconds).ToList();
        parts.Add(new("all else: norms, activations, softmax, sums, copies", null, milliseconds - parts.Sum(p => p.Milliseconds), 0));
        return new(batch, milliseconds, parts);
    }

    [GeneratedRegex(@"^mb(\d+)_(?:g(\d+))?ic(\d+)oc(\d+)_ih\d+oh(\d+)kh(\d+)\w*_iw\d+ow(\d+)kw(\d+)")]
    private static partial Regex ConvolutionSizes();

    [GeneratedRegex(@"^(\d+)x(\d+):\d+x(\d+)$")]
    private static partial Regex ProductSizes();

    /// <summary>One thing that oneDNN computed.</summary>
    sealed record Line(string Operation, double Milliseconds, double Operations)
    {
        /// <summary>Lines end with the sizes and the milliseconds; before are kind and implementation. Null for others.</summary>
        public static Line? Parse(string line, int threads)
        {
            var fields = line.Split(',');
            if (fields is not ["onednn_verbose", _, "primitive" or "ukernel", "exec", _, var kind, _, .., var sizes, var time])
                return null;
            var milliseconds = double.Parse(time, CultureInfo.InvariantCulture);
            switch (kind)
            {
                case "convolution":
                    // Samples, groups, channels in and out, then output and kernel along both axes.
                    double[] n = Numbers(ConvolutionSizes().Match(sizes));
                    var (kernel, groups) = (n[5] * n[7], Math.Max(1, n[1]));
                    return new(
                        kernel > 1 ? "convolution" : "1x1 convolution, linear layer", milliseconds,
                        2 * n[0] * n[2] * n[3] / groups * n[4] * n[6] * kernel);
                case "brgemm":
                    double[] product = Numbers(ProductSizes().Match(sizes));
                    return new("product of attention", milliseconds / threads, 2 * product[0] * product[1] * product[2]);
                default:
                    return new(kind, milliseconds, 0);
            }
        }

        static double[] Numbers(Match match) => match.Success
            ? [.. match.Groups.Values.Skip(1).Select(g => g.Success ? double.Parse(g.Value, CultureInfo.InvariantCulture) : 0)]
            : throw new InvalidOperationException("oneDNN writes sizes in another way than this bench reads.");
    }
}

/// <summary>A kind of operation in a pass.</summary>
/// <param name="Operation">For the table.</param>
/// <param name="Calls">In a pass; null where they are not counted.</param>
/// <param name="Milliseconds">Of a pass.</param>
/// <param name="Operations">Floating-point operations of a pass; 0 where they are not counted.</param>
sealed record ProfiledPart(string Operation, int? Calls, double Milliseconds, double Operations);
