using System.Runtime.InteropServices;
using System.Text.Json;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Features;

/// <summary>
/// Python's torch as the reference of a forward pass: a script finds weights and inputs as float32 tensors in <c>t</c> and leaves its
/// result in <c>out</c>.
/// </summary>
static class TorchReference
{
    const string Before = """
        import json, sys, numpy as np, torch, torch.nn.functional as F
        torch.set_num_threads(1)
        t = {}
        for name, (file, shape) in json.load(open(sys.argv[1] + "/in.json")).items():
            t[name] = torch.from_numpy(np.fromfile(sys.argv[1] + "/" + file, np.float32).reshape(shape))

        """;

    const string After = """

        np.ascontiguousarray(out.detach().numpy().astype(np.float32)).tofile(sys.argv[1] + "/out")
        """;

    public static float[] Run(
        string script, IWeightSource weights, IEnumerable<KeyValuePair<string, long[]>> names, params (string Name, Tensor Value)[] inputs)
    {
        Assert.SkipWhen(PythonTorch.MissingTorch is not null, PythonTorch.MissingTorch ?? "");
        using var scope = NewDisposeScope();
        var folder = Directory.CreateTempSubdirectory("taba-test-torch-").FullName;
        try
        {
            var loaded = names.Select(name => (name.Key, weights.Load(name.Key, ScalarType.Float32, CPU)));
            var list = new Dictionary<string, object[]>();
            foreach (var (name, value) in loaded.Concat(inputs))
            {
                var file = $"{list.Count}";
                using var whole = value.contiguous();
                File.WriteAllBytes(Path.Combine(folder, file), whole.bytes);
                list[name] = [file, value.shape];
            }

            File.WriteAllText(Path.Combine(folder, "in.json"), JsonSerializer.Serialize(list));
            PythonTorch.Run(Before + script + After, folder);
            return MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, "out"))).ToArray();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Near, in relation to the largest value.</summary>
    public static void AssertNear(float[] expected, Tensor actual, double tolerance = 2e-5)
    {
        var values = actual.data<float>().ToArray();
        Assert.Equal(expected.Length, values.Length);
        var largest = expected.Max(Math.Abs);
        Assert.InRange(largest, 1e-4, 1e6);
        for (var i = 0; i < values.Length; i++)
            Assert.Equal(expected[i], values[i], tolerance * largest);
    }
}
