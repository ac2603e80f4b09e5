using Taba.Diffusion.Tensors;
using Taba.Grains;
using static TorchSharp.torch;

namespace Taba.Client.Folders;

/// <summary>One tensor of a merged run: its parts' files, checked against each other.</summary>
sealed record MergedTensor(string Name, TensorFormat Format, ScalarType Dtype, IReadOnlyList<long> Shape, IReadOnlyList<string> Files)
{
    public string FileName => Name + Format.Extension();

    /// <summary>Upstream's tensors over steps: [T,N,...].</summary>
    bool HasSteps => IsOverSteps(Name);

    /// <exception cref="BadInputException">The parts' tensors do not fit together.</exception>
    public static MergedTensor Plan(string name, IReadOnlyList<MergePart> parts)
    {
        var files = parts.Select(p => p.Files[name]).ToList();
        var axis = IsOverSteps(name) ? 1 : 0;
        ScalarType? dtype = null;
        long[]? shape = null;
        foreach (var path in files)
        {
            using var file = TensorFile.Open(path);
            var tensor = file.Single(name);
            if (tensor.Shape.Count <= axis)
                throw new BadInputException($"{path} has {tensor.Shape.Count} axes: no sample axis to merge on.");
            if (shape is null)
            {
                (dtype, shape) = (tensor.Dtype, [.. tensor.Shape]);
                continue;
            }
            if (tensor.Dtype != dtype || tensor.Shape.Count != shape.Length
                || tensor.Shape.Where((length, i) => i != axis && length != shape[i]).Any())
                throw new BadInputException(
                    $"{path} holds {tensor.Dtype} [{string.Join(", ", tensor.Shape)}], which does not continue {files[0]} ({dtype} "
                    + $"[{string.Join(", ", shape)}]).");
            shape[axis] = checked(shape[axis] + tensor.Shape[axis]);
        }
        return new(name, TensorFiles.FormatOf(files[0]), dtype!.Value, shape!, files);
    }

    public void Write(string folder, CancellationToken cancellationToken)
    {
        using var writer = TensorFileWriter.Create(Path.Combine(folder, FileName), Format, Name, Dtype, Shape);
        if (HasSteps)
        {
            for (long step = 0; step < Shape[0]; step++)
                Each(tensor => TensorCopy.AppendSlice(tensor, step, writer, cancellationToken));
        }
        else
            Each(tensor => TensorCopy.Append(tensor, writer, cancellationToken));
        writer.Complete();
    }

    void Each(Action<TensorReader> append)
    {
        foreach (var path in Files)
        {
            using var file = TensorFile.Open(path);
            append(file.Single(Name));
        }
    }

    static bool IsOverSteps(string name) => name.StartsWith("all_t_", StringComparison.Ordinal);
}
