namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>The same rows of several tensors of a run.</summary>
static class RunTensorsExtensions
{
    /// <summary>N of tensors that are there.</summary>
    /// <exception cref="InvalidDataException">They have different numbers of rows.</exception>
    public static long RowsOf(this IRunTensors run, params TensorRole[] roles)
    {
        var counts = roles.Select(role => run.Tensor(role)!.Rows).ToList();
        return counts.TrueForAll(count => count == counts[0])
            ? counts[0]
            : throw new InvalidDataException(
                $"{string.Join(", ", roles.Select(run.NameOf))} have {string.Join(", ", counts)} rows: they are not of the same samples");
    }

    /// <summary>The shape of tensors whose values are compared one by one.</summary>
    /// <exception cref="InvalidDataException">They have different shapes, or numbers of rows.</exception>
    public static StateShape ShapeOf(this IRunTensors run, params TensorRole[] roles)
    {
        run.RowsOf(roles);
        var first = run.Tensor(roles[0])!;
        foreach (var role in roles)
        {
            var other = run.Tensor(role)!;
            if (other.Shape != first.Shape)
            {
                throw new InvalidDataException(
                    $"{run.NameOf(roles[0])} is [{first.Rows}, {first.Shape}] and {run.NameOf(role)} [{other.Rows}, {other.Shape}]: they "
                    + "are not of the same samples");
            }
        }
        return first.Shape;
    }

    /// <summary>Chunks of several tensors side by side: the same rows of each, as far as all have them.</summary>
    public static IEnumerable<ReadOnlyMemory<float>[]> Together(
        this IRunTensors run, IEnumerable<TensorRole> roles, long first, long count, CancellationToken cancellationToken)
    {
        var tensors = roles.Select(role => run.Tensor(role)!).ToList();
        return tensors.Together(first, Math.Min(count, tensors.Min(tensor => tensor.Rows) - first), cancellationToken);
    }

    /// <summary>The tensors that are there, each once, though it may be what several roles are.</summary>
    public static IReadOnlyList<(string Name, IMetricRows Rows)> Each(this IRunTensors run) =>
        [
            .. Enum.GetValues<TensorRole>().Where(role => run.Tensor(role) is not null)
                .Select(role => (Name: run.NameOf(role), Rows: run.Tensor(role)!)).DistinctBy(tensor => tensor.Name),
        ];
}
