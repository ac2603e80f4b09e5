using System.Globalization;
using System.Text.Json;
using Taba.Diffusion.Metrics;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Metrics;

/// <summary>What the reference implementation made of tests/fixtures/metrics/inputs.safetensors.</summary>
static class Golden
{
    static readonly Lazy<JsonElement> s_lazyScalars = new(
        () => JsonDocument.Parse(File.ReadAllBytes(Fixtures.At("metrics/expected.json"))).RootElement.GetProperty("scalars"));

    /// <summary>A scalar below a path of names.</summary>
    public static double Scalar(params string[] path)
    {
        var element = path.Aggregate(s_lazyScalars.Value, (at, name) => at.GetProperty(name));
        return element.ValueKind == JsonValueKind.String
            ? double.Parse(element.GetString()!, CultureInfo.InvariantCulture)
            : element.GetDouble();
    }

    public static float[] Input(string name) => FixtureTensors.Floats(Inputs, name);

    /// <summary>A float64 input, rounded to the float32 that features come in.</summary>
    public static float[] Doubles(string name) =>
        [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(FixtureTensors.Bytes(Inputs, name)).ToArray()
            .Select(value => (float)value)];

    public static StateShape Shape(string name)
    {
        var shape = FixtureTensors.Shape(Inputs, name);
        return new((int)shape[1], (int)shape[2], (int)shape[3]);
    }

    /// <summary>An input as rows, whatever the shape of one.</summary>
    public static RowsInMemory Rows(string name)
    {
        var values = Input(name);
        return new(values, values.Length / (int)FixtureTensors.Shape(Inputs, name)[0]);
    }

    public static byte[] Output(string name) => FixtureTensors.Bytes(Fixtures.At("metrics/outputs.safetensors"), name);

    static string Inputs => Fixtures.At("metrics/inputs.safetensors");
}
