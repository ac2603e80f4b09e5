using System.Text;
using Taba.Silo.Inputs;
using Taba.Testing;

namespace Taba.Silo.Tests.Inputs;

public sealed class TensorInputFilesTests : IDisposable
{
    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Describe_ClassIds_KnowsTheLeastAndTheGreatestAndTheirRows() =>
        Assert.Equal((-2, 1, 1000, 3), new TensorInputFiles().Describe(Npy("<i8", 8, 5, -2, 7, 1000, 1000)).Range);

    [Fact]
    public void Describe_ManyClassIds_LooksAtAll()
    {
        var ids = new long[2_000_000];
        ids[1_999_999] = 9;

        Assert.Equal((0, 0, 9, 1_999_999), new TensorInputFiles().Describe(Npy("<i8", 8, ids)).Range);
    }

    [Fact]
    public void Describe_AnotherTensor_HasNoRange() => Assert.Null(new TensorInputFiles().Describe(Npy("<i4", 4, 5, 6)).Range);

    string Npy(string type, int bytes, params long[] values)
    {
        var path = _folder.At($"{type[1..]}-{values.Length}.npy");
        using var writer = new BinaryWriter(File.Create(path));
        var header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({values.Length},), }}".PadRight(117) + "\n";
        writer.Write([0x93, .. "NUMPY"u8, 1, 0]);
        writer.Write((ushort)header.Length);
        writer.Write(Encoding.ASCII.GetBytes(header));
        foreach (var value in values)
            writer.Write(BitConverter.GetBytes(value).AsSpan(0, bytes));
        return path;
    }
}
