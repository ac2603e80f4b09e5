using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Places that nothing can be written to are bad input, for every command that writes, before anything starts.</summary>
public sealed class OutputPlaceTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    public static TheoryData<string, string> Places => new()
    {
        { "file", "is a file, not a folder" },
        { "file/below/it", "is a file, not a folder" },
        { $"x/{new string('n', 300)}", "is a name of 300 bytes" },
        { string.Join('/', Enumerable.Repeat(new string('p', 200), 20)), "leaves no room for the files in it" },
        { "link", "is a link to" },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Commands_ThatWrite_RefuseThePlace(string place, string why)
    {
        _taba.Write("file", "");
        File.CreateSymbolicLink(_taba.At("link"), _taba.At("gone"));
        var sweep = _taba.Write("s.yaml", $"model: {_taba.GaussianModel()}\nsamples: 4\nnum_inference_steps: 10");
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
        var run = Directory.GetDirectories(_taba.At("out", "s")).Single(d => File.Exists(Path.Combine(d, "manifest.json")));
        var bad = _taba.At(place);
        string[][] commands =
        [
            ["run", sweep, "--out", bad],
            ["sample", "gaussian", "--model", _taba.GaussianModel(), "--num_inference_steps", "10", "--n_samples", "4", "--save_dir", bad],
            ["export", run, "--format", "npy", "--save_dir", bad],
            ["export", run, "--format", "png", "--save_dir", bad],
            ["merge", run, "--save_dir", bad],
        ];
        foreach (var command in commands)
        {
            var sentence = await _taba.RefuseAsync(command);
            Assert.Contains(why, sentence, StringComparison.Ordinal);
            Assert.DoesNotContain(".;", sentence, StringComparison.Ordinal);
        }
    }
}
