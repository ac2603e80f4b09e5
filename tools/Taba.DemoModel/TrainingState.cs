using static TorchSharp.torch;

namespace Taba.DemoModel;

/// <summary>Everything that training needs to go on after a stop: weights, their moving average, the optimiser's moments.</summary>
sealed class TrainingState : IDisposable
{
    const long Magic = 0x3154534142415400;

    public TrainingState()
    {
        Weights = new FlatParameters("the weights in training");
        Average = new FlatParameters("the averaged weights in training");
        First = zeros(Weights.Count).DetachFromDisposeScope();
        Second = zeros(Weights.Count).DetachFromDisposeScope();
    }

    public FlatParameters Weights { get; }

    /// <summary>Exponential moving average of the weights: the ones to sample with.</summary>
    public FlatParameters Average { get; }

    public Tensor First { get; }

    public Tensor Second { get; }

    public long Step { get; set; }

    public double Seconds { get; set; }

    IEnumerable<Tensor> Tensors => [Weights.Values, Average.Values, First, Second];

    /// <summary>Reads a state that <see cref="Save"/> wrote.</summary>
    public static TrainingState Read(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        var state = new TrainingState();
        if (reader.ReadInt64() != Magic)
            throw new InvalidDataException($"{path} is not a training state.");
        if (reader.ReadInt64() is var count && count != state.Weights.Count)
            throw new InvalidDataException($"{path} holds {count} parameters, but the model has {state.Weights.Count}.");
        state.Step = reader.ReadInt64();
        state.Seconds = reader.ReadDouble();
        foreach (var tensor in state.Tensors)
            reader.BaseStream.ReadExactly(tensor.bytes);
        return state;
    }

    /// <summary>Writes beside the file and renames, so that a stop in between loses nothing.</summary>
    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var partial = path + ".partial";
        using (var writer = new BinaryWriter(File.Create(partial)))
        {
            writer.Write(Magic);
            writer.Write(Weights.Count);
            writer.Write(Step);
            writer.Write(Seconds);
            foreach (var tensor in Tensors)
                writer.Write(tensor.bytes);
        }

        File.Move(partial, path, overwrite: true);
    }

    public void Dispose()
    {
        Weights.Dispose();
        Average.Dispose();
        First.Dispose();
        Second.Dispose();
    }
}
