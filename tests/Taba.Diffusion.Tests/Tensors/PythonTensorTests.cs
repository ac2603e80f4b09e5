using Taba.Diffusion.Tensors;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Tensors;

/// <summary>A real Python reads what we write, and we read what it writes.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class PythonTensorTests : IDisposable
{
    readonly TempFolder _folder = new();

    public PythonTensorTests() => Assert.SkipWhen(PythonTorch.MissingTorch is not null, PythonTorch.MissingTorch ?? "");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pt_OfEveryType_LoadsInPythonWithWeightsOnly()
    {
        ScalarType[] types =
        [
            ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
            ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
        ];
        foreach (var type in types)
        {
            using var writer = TensorFileWriter.Create(_folder.At($"{type}.pt"), TensorFormat.Pt, "x", type, [2, 1, 3]);
            for (var i = 0; i < 6; i++)
            {
                // 0 and 1 have zeros in all bytes but few; any bytes do, since both sides print bytes.
                writer.Write(Enumerable.Repeat((byte)(i & 1), Taba.Diffusion.Weights.ElementTypes.Size(type)).ToArray());
            }

            writer.Complete();
        }

        var output = PythonTorch.Run(
            """
            import sys, torch
            for name in sys.argv[2:]:
                t = torch.load(f"{sys.argv[1]}/{name}.pt", weights_only=True)
                t[0, 0, 0] = 0
                print(name, t.dtype, tuple(t.shape), t.is_contiguous(), bytes(t.view(torch.uint8).flatten().tolist()).hex() if t.dtype != torch.bool else bytes(t.flatten().tolist()).hex())
            """,
            [_folder.Path, .. types.Select(type => type.ToString())]);

        string[] names = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"];
        var expected = types.Zip(names, (type, name) =>
            $"{type} torch.{name} (2, 1, 3) True " + string.Concat(
                Enumerable.Range(0, 6).Select(
                    i => string.Concat(Enumerable.Repeat($"0{i & 1}", Taba.Diffusion.Weights.ElementTypes.Size(type))))));
        Assert.Equal(expected, output.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Npy_LoadsInPython()
    {
        foreach (long[] shape in (long[][])[[], [4], [2, 3, 2]])
        {
            using var writer = TensorFileWriter.Create(_folder.At("x.npy"), TensorFormat.Npy, "x", ScalarType.Float32, shape);
            writer.Write(new byte[writer.ByteCount]);
            writer.Complete();
            Assert.Equal(
                $"float32 {string.Join(",", shape)} True",
                PythonTorch.Run(
                    "import sys, numpy; a = numpy.load(sys.argv[1], allow_pickle=False); print(a.dtype, ','.join(map(str, a.shape)), "
                    + "a.flags.c_contiguous)", _folder.At("x.npy")).TrimEnd());
        }
    }

    [Fact]
    public void Open_WhatPythonWrites_ReadsBackByteForByte()
    {
        var output = PythonTorch.Run(
            """
            import sys, os, hashlib, collections, torch, numpy
            os.chdir(sys.argv[1])
            torch.manual_seed(0)
            x = torch.randn(4, 5, 6)
            cases = {
                'plain': x, 'rows': x[1:3], 'permuted': x.permute(2, 0, 1), 'strided': x[:, ::2, 1::3], 'scalar': torch.tensor(2.5),
                'empty': torch.zeros(0, 3), 'half': x.half(), 'bfloat16': x.bfloat16(), 'double': x.double(), 'long': torch.arange(7),
                'bool': x > 0, 'uint8': torch.arange(9, dtype=torch.uint8), 'parameter': torch.nn.Parameter(x[0]),
            }
            def show(file, name, t):
                t = t.detach().contiguous()
                raw = t.view(torch.int16).numpy().tobytes() if t.dtype == torch.bfloat16 else t.numpy().tobytes()
                print(file, name, ','.join(map(str, t.shape)), hashlib.sha256(raw).hexdigest())
            for zipped in (True, False):
                for name, t in cases.items():
                    file = f'{name}.{"zip" if zipped else "legacy"}'
                    torch.save(t, file, _use_new_zipfile_serialization=zipped)
                    show(file, name, t)
                state = collections.OrderedDict(cases)
                state._metadata = collections.OrderedDict(a={'version': 1})
                for kind, value in (('ordered', state), ('dict', dict(cases))):
                    file = f'{kind}.{"zip" if zipped else "legacy"}'
                    torch.save(value, file, _use_new_zipfile_serialization=zipped)
                    for name, t in cases.items():
                        show(file, name, t)
            for name in ('plain', 'permuted', 'strided', 'scalar', 'empty', 'half', 'double', 'long', 'bool', 'uint8'):
                a = cases[name].numpy()
                numpy.save(f'{name}.npy', a)
                show(f'{name}.npy', name, cases[name])
            """,
            _folder.Path);

        var lines = output.TrimEnd().Split('\n');
        Assert.Equal(26 + 4 * 13 + 10, lines.Length);
        foreach (var line in lines)
        {
            var parts = line.Split(' ');
            using var file = TensorFile.Open(_folder.At(parts[0]));
            var tensor = file.Tensor(parts[1]);
            var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(FixtureTensors.Bytes(tensor)));
            Assert.Equal(line, $"{parts[0]} {parts[1]} {string.Join(",", tensor.Shape)} {digest}");
        }
    }
}
