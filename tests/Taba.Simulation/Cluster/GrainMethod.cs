using System.Collections.Immutable;
using System.Reflection;
using Orleans.Concurrency;

namespace Taba.Simulation.Cluster;

/// <summary>A method of a grain's interface, and how its answers travel.</summary>
sealed class GrainMethod
{
    readonly MethodInfo _method;
    readonly Answers _answers;

    public GrainMethod(MethodInfo method)
    {
        _method = method;
        Name = $"{method.DeclaringType!.Name[1..]}.{method.Name}";
        AlwaysInterleaves = method.GetCustomAttribute<AlwaysInterleaveAttribute>() is not null;
        IsOneWay = method.GetCustomAttribute<OneWayAttribute>() is not null;
        IsReadOnly = method.GetCustomAttribute<ReadOnlyAttribute>() is not null;
        _answers = Answers.Of(method.ReturnType);
    }

    public string Name { get; }

    public bool AlwaysInterleaves { get; }

    public bool IsOneWay { get; }

    public bool IsReadOnly { get; }

    /// <summary>A place for an answer, in the form that the method returns.</summary>
    public Pending NewPending() => _answers.NewPending();

    /// <summary>Calls a grain, in its turn.</summary>
    public async Task<object?> InvokeAsync(object grain, object?[] arguments)
    {
        object? returned;
        try
        {
            returned = _method.Invoke(grain, arguments);
        }
        catch (TargetInvocationException thrown) when (thrown.InnerException is { } inner)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(inner);
            throw;
        }
        return await _answers.AwaitAsync(returned!);
    }
}

/// <summary>An answer that has not come.</summary>
abstract class Pending
{
    /// <summary>What the caller holds: a task or a value task.</summary>
    public abstract object Returned { get; }

    public abstract void Complete(object? answer);

    public abstract void Fail(Exception exception);
}

/// <summary>What methods of one return type have in common.</summary>
abstract class Answers
{
    static readonly System.Collections.Concurrent.ConcurrentDictionary<Type, Answers> s_all = new();

    public static Answers Of(Type type) => s_all.GetOrAdd(type, Make);

    public abstract Pending NewPending();

    public abstract Task<object?> AwaitAsync(object returned);

    static Answers Make(Type type)
    {
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        var isValue = definition == typeof(ValueTask<>) || definition == typeof(ValueTask);
        if (definition == typeof(Task<>) || definition == typeof(ValueTask<>))
            return (Answers)Activator.CreateInstance(typeof(AnswersOf<>).MakeGenericType(type.GetGenericArguments()[0]), [isValue])!;
        return definition == typeof(Task) || definition == typeof(ValueTask)
            ? new AnswersOf<object?>(isValue, isVoid: true)
            : new Unsupported(type);
    }

    sealed class AnswersOf<T>(bool isValue, bool isVoid) : Answers
    {
        public AnswersOf(bool isValue)
            : this(isValue, isVoid: false)
        {
        }

        public override Pending NewPending() => new Place(isValue, isVoid);

        public override async Task<object?> AwaitAsync(object returned)
        {
            switch (returned)
            {
                case Task<T> task:
                    return await task;
                case ValueTask<T> task:
                    return await task;
                case ValueTask task:
                    await task;
                    return null;
                default:
                    await (Task)returned;
                    return null;
            }
        }

        sealed class Place(bool isValue, bool isVoid) : Pending
        {
            // Continuations are queued to the schedulers of those who wait, never run here.
            readonly TaskCompletionSource<T> _source = new();

            public override object Returned => isVoid
                ? isValue ? new ValueTask(_source.Task) : _source.Task
                : isValue ? new ValueTask<T>(_source.Task) : _source.Task;

            public override void Complete(object? answer) => _source.TrySetResult((T)answer!);

            public override void Fail(Exception exception)
            {
                _source.TrySetException(exception);
                _ = _source.Task.Exception;
            }
        }
    }

    sealed class Unsupported(Type type) : Answers
    {
        public override Pending NewPending() => throw new NotSupportedException($"The simulation knows no answers of type {type}.");

        public override Task<object?> AwaitAsync(object returned) => throw new NotSupportedException();
    }
}
